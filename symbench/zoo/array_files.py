"""Named arrays of numbers from an ``.npz`` file that may be anything."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Final

import numpy as np

from symbench.errors import SymbenchError
from symbench.reading import brief, read

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_LARGEST: Final = 2**26  # bytes, packed and unpacked


def read_arrays(file: Path) -> dict[str, NDArray[np.float32]]:
    """The arrays of an archive by name, float32, without a leading ``w/`` of their names.

    Raises:
        SymbenchError: The file is missing, corrupt, too large, or holds something else than finite numbers.
    """
    content = read(file, str(file), _LARGEST)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > _LARGEST:
            raise ValueError(f"unpacked it takes {unpacked:,} bytes, at most {_LARGEST:,} are read")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            found = {name.removeprefix("w/"): arrays[name].astype(np.float32) for name in arrays.files}
        if broken := [name for name, array in found.items() if not np.isfinite(array).all()]:
            raise ValueError(f"{', '.join(broken)} hold numbers that are not finite")
    except Exception as error:  # zipfile, zlib and numpy raise a dozen kinds on damaged files
        raise SymbenchError(f"{file} is not an .npz file of weights ({brief(error)})") from error
    return found
