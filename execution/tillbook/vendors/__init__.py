"""The doors to the outside: each vendor in a folder of its own, behind a protocol of ours."""
