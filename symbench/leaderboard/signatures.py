"""Signatures of maintainers under what they have verified: SSH signatures, checked offline against a list of keys.

A signature covers the name of the submission and every field of its entry in ``verified.json`` but itself, as
canonical JSON. Fields that have their default value are left out of it, so that an entry stays signed when entries
get a new field. It is made and checked by ``ssh-keygen -Y`` (format: PROTOCOL.sshsig of OpenSSH; list of keys:
``ALLOWED SIGNERS`` in ssh-keygen(1)). docs/security.md says what follows from it.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Final

from symbench.errors import SymbenchError
from symbench.leaderboard.verified import read_verified, write_verified

if TYPE_CHECKING:
    from collections.abc import Mapping

    from symbench.leaderboard.verified import Verified

NAMESPACE: Final = "symbench-verified"
"""What is signed; a signature that the same key has made for something else, e.g. a commit, does not count."""
SIGNERS: Final = "allowed_signers"
"""The keys of maintainers, beside ``verified.json``."""

_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_BASE64 = re.compile(r"[A-Za-z0-9+/]{1,8000}={0,2}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_PATIENCE: Final = 120  # seconds for a person to type a passphrase or to touch a key


def message(name: str, entry: Verified) -> bytes:
    """What is signed: canonical JSON of an entry and of the submission it is for.

    Args:
        name: Of the submission.
        entry: What was verified.
    """
    known = entry.model_dump(mode="json", exclude={"signature"}, exclude_defaults=True)
    content = {"entry": known, "submission": name}
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def check_key(key: Path) -> None:
    """Raise if there is no such key, e.g. before cells are played that it is to sign."""
    if not key.is_file():
        raise SymbenchError(f"there is no key {key}; ssh-keygen -t ed25519 -f {key} makes one")


def sign(name: str, entry: Verified, key: Path) -> Verified:
    """The entry with a signature.

    Args:
        name: Of the submission.
        entry: What was verified.
        key: A private key of ssh, or the public one of a key that ssh-agent holds.

    Raises:
        SymbenchError: There is no such key, or ssh-keygen cannot sign with it.
    """
    check_key(key)
    done = _ssh_keygen("sign", "-n", NAMESPACE, "-f", str(key), content=message(name, entry), seconds=_PATIENCE)
    if done.returncode:
        raise SymbenchError(f"cannot sign with {key}; ssh-keygen says: {_last_line(done.stderr)}")
    lines = done.stdout.decode("ascii").split()
    body = "".join(lines[lines.index("SIGNATURE-----") + 1 : lines.index("-----END")])
    return entry.model_copy(update={"signature": body})


def sign_recorded(file: Path, name: str, key: Path) -> None:
    """Sign the entry of a submission in ``verified.json``.

    Args:
        file: That file; the list of keys lies beside it.
        name: Of the submission.
        key: As of :func:`sign`.

    Raises:
        SymbenchError: As :func:`sign`; there is no such entry; or the key is not one of a maintainer.
    """
    entries = read_verified(file)
    if name not in entries:
        raise SymbenchError(f"{file} has no entry {name!r}; symbench verify --record makes one")
    entry = sign(name, entries[name], key)
    if fault := signature_fault(name, entry, file.with_name(SIGNERS)):
        raise SymbenchError(f"not signed: {fault}")
    write_verified(file, {**entries, name: entry})


def signed(entries: Mapping[str, Verified], signers: Path) -> dict[str, Verified]:
    """The entries that a maintainer has signed, by names of submissions.

    Args:
        entries: All of them.
        signers: The list of keys.

    Raises:
        SymbenchError: There is something to check and ssh-keygen is not installed.
    """
    return {name: entry for name, entry in entries.items() if not signature_fault(name, entry, signers)}


def signature_fault(name: str, entry: Verified, signers: Path) -> str:
    """Why an entry does not count as signed by a maintainer; empty if it does.

    A key counts if it was valid on the day of the entry, so that what an older key has signed stays signed.

    Raises:
        SymbenchError: ssh-keygen is not installed.
    """
    if entry.signature is None:
        return f"the entry {name!r} has no signature; a maintainer adds one: symbench sign-verified --sign KEY"
    if not signers.is_file():
        return f"the entry {name!r} cannot be checked: there is no list of keys {signers}"
    if not _BASE64.fullmatch(entry.signature) or not _DATE.fullmatch(entry.date):
        return f"the signature of the entry {name!r} is damaged"
    if _verifies(message(name, entry), entry.signature, signers, entry.date):
        return ""
    return (
        f"the signature of the entry {name!r} is not one of a key in {signers} "
        f"over this entry that was valid on {entry.date}"
    )


def _verifies(content: bytes, signature: str, signers: Path, date: str) -> bool:
    """Whether one of the principals that the key belongs to may sign this."""
    options = ["-f", str(signers), "-O", f"verify-time={date.replace('-', '')}"]
    with tempfile.TemporaryDirectory(prefix="symbench-") as folder:
        file = Path(folder) / "signature"
        file.write_text("\n".join([_BEGIN, *textwrap.wrap(signature, 70), _END, ""]), encoding="ascii")
        options += ["-s", str(file)]
        found = _ssh_keygen("find-principals", *options)
        principals = found.stdout.decode("utf-8", "replace").splitlines() if not found.returncode else []
        return any(
            not _ssh_keygen("verify", "-n", NAMESPACE, "-I", principal, *options, content=content).returncode
            for principal in principals
        )


def _ssh_keygen(
    action: str, *options: str, content: bytes = b"", seconds: int = 10
) -> subprocess.CompletedProcess[bytes]:
    program = shutil.which("ssh-keygen")
    if program is None:
        raise SymbenchError(
            "signatures need ssh-keygen, which is not on the PATH: install OpenSSH 8.9 or newer, "
            "e.g. apt install openssh-client"
        )
    command = [program, "-Y", action, *options]
    try:
        return subprocess.run(command, input=content, capture_output=True, timeout=seconds)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SymbenchError(f"ssh-keygen -Y {action} has failed ({error})") from error


def _last_line(output: bytes) -> str:
    return " ".join(output.decode("utf-8", "replace").strip().splitlines()[-1:])[:200]
