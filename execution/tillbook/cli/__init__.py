"""How every script meets the world: results, words and exit codes. Scripts take the names below."""

from tillbook.cli.commands import DryRun, Limit, command, found, look, progress, provider_option, say

__all__ = ["DryRun", "Limit", "command", "found", "look", "progress", "provider_option", "say"]
