"""Addresses that look like the one of a certificate and are not it (A5)."""

from __future__ import annotations

from urllib.parse import urlsplit


def addresses(url: str) -> list[str]:
    """Addresses that look like this one of a certificate and are not it: hosts, schemes, ports, paths, spellings."""
    parts = urlsplit(url)
    scheme, place, host = parts.scheme, parts.netloc, parts.hostname or ""
    folder, _, name = parts.path.rpartition("/")
    rest = f"{folder}/{name}"
    found = [f"{scheme}://{one}{rest}" for one in _hosts(place, host)]
    found += _schemes(url, place, rest)
    found += [f"{scheme}://{place}{folder}/{one}" for one in _names(name)]
    found += [f"{scheme}://{place}{one}/{name}" for one in _folders(folder)]
    return [one for one in found if one != url]


def _hosts(place: str, host: str) -> list[str]:
    hosts = [f"{place}.example", f"{host}.example", f"{place}.", f"{host}.:80", f"x.{place}", f"x{place}", f"{place}x"]
    hosts += [
        f"{place}@evil.example",
        f"user@{place}",
        f"user:pass@{place}",
        f"@{place}",
        f":@{place}",
        f"{place}:",
        "",
        " ",
    ]
    hosts += [f"{place}#@evil.example", f"{place}?@evil.example", f"{place}\\@evil.example", f"evil.example\\@{place}"]
    hosts += [f"evil.example#{place}", f"evil.example?{place}", f"evil.example\\.{place}", f"evil.example/{place}"]
    hosts += [
        f"{host}:1",
        f"{host}:65536",
        f"{host}:0",
        f"{host}:-1",
        f"{host}:80:80",
        f"{host}:8\u0660",
        f"{host}:+443",
    ]
    hosts += [
        f"{place}\x00.evil.example",
        f"{place}%00.evil.example",
        f"{place}%2eevil.example",
        f"{place}\t",
        f"\t{place}",
    ]
    hosts += [
        f"{place}\u3002example",
        f"{place}\uff0eexample",
        f"xn--{place}",
        place.replace("a", "\u0430"),
        f"{place}\u200b",
    ]
    hosts += ["evil.example", "localhost", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]"]
    hosts += [
        "169.254.169.254",
        "0.0.0.0",  # noqa: S104
        "metadata.google.internal",
        "www.paypal.com",
        "api-m.paypal.com",
        "paypal.com",
    ]
    hosts += [
        "api.paypal.com.evil.example",
        "api.paypal.com@evil.example",
        "api-paypal.com",
        "api.paypa1.com",
        "api.paypal.co",
    ]
    hosts += [
        "API.PAYPAL.COM",
        "api.paypal.com:8443",
        "api.paypal.com.",
        "xn--pypal-4ve.com",
        "api.p\u0430ypal.com",
        "apipaypal.com",
    ]
    return hosts


def _schemes(url: str, place: str, rest: str) -> list[str]:
    scheme = url.partition(":")[0]
    schemes = [
        "ftp",
        "file",
        "gopher",
        "dict",
        "data",
        "javascript",
        "ldap",
        "jar",
        "ws",
        "HTTPS",
        "HTTP",
        "Https",
        "htt",
        "",
    ]
    found = [f"{one}://{place}{rest}" for one in [*schemes, "https" if scheme == "http" else "http"]]
    found += [
        f"{scheme}:{place}{rest}",
        f"{scheme}:/{place}{rest}",
        f"{scheme}:///{place}{rest}",
        f"//{place}{rest}",
        rest,
    ]
    found += [
        f"{scheme}:\\\\{place}{rest}",
        f"{scheme}:/\\{place}{rest}",
        f" {url}",
        f"{url} ",
        f"\n{url}",
        f"{url}\n",
        f"\x00{url}",
    ]
    found += [
        f"url:{url}",
        f"<{url}>",
        f'"{url}"',
        f"{url},{url}",
        f"{url} {url}",
        f"view-source:{url}",
        f"{scheme} ://{place}{rest}",
    ]
    return found


def _names(name: str) -> list[str]:
    names = [
        "",
        ".",
        "..",
        f"../{name}",
        f"./{name}",
        f"x/../{name}",
        f"{name}/",
        f"{name}/..",
        f"/{name}",
        f"..%2f{name}",
    ]
    names += [
        f"%2e%2e/{name}",
        f"%2e/{name}",
        f"{name}%00",
        f"{name}%2f",
        f"{name}%",
        f"%43{name[1:]}",
        f"{name}%0d%0aX:y",
    ]
    names += [
        f"{name}?",
        f"{name}?x=1",
        f"{name}#",
        f"{name}#x",
        f"{name};",
        f"{name};x=1",
        f"{name}&x",
        f"{name}\\",
        f"..\\{name}",
    ]
    names += [
        f"{name}\\..\\x",
        f"{name} x",
        f"{name}\tx",
        f"{name}\r\nX: y",
        f"{name}\x00",
        f"{name}\x7f",
        f"{name}é",
        f"{name}\u2024",
    ]
    names += [
        f"{name}..x",
        f".{name}",
        f"{name}.",
        f"-{name}",
        f"{name}-",
        f"{name}/x",
        f"{name}@x",
        f"{name}:x",
        f"{name}*",
        f"{name}+",
    ]
    names += [
        "x" * 121,
        "x" * 600,
        "x" * 5000,
        f"{name}$",
        f"{name}!",
        f"{name}|x",
        f"{name}'",
        f"{name}`id`",
        f"{name}{{}}",
        f"{name}[0]",
    ]
    return names


def _folders(folder: str) -> list[str]:
    folders = [
        "",
        "/",
        "//" + folder[1:],
        folder.upper(),
        folder + "/certs",
        folder.replace("certs", "cert"),
        "/v2" + folder[3:],
    ]
    folders += [
        folder.replace("certs", "c%65rts"),
        folder.replace("/", "//"),
        folder.replace("/", "\\"),
        "/." + folder,
        "/.." + folder,
    ]
    folders += [
        folder + "/..",
        folder + "/../certs",
        folder.replace("certs", "webhooks"),
        "/v1/payments",
        "/x" + folder,
        folder + "\\",
    ]
    return folders
