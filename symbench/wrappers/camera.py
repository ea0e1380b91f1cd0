"""Where an environment's camera is, so that a picture can lie on the ground and not on the screen.

An environment whose camera moves says so with every observation, in ``info["camera"]``: a (2, 3) array A of floats that
takes a pixel to a place on the ground, ``A @ (row, column, 1) = (row, column)`` there. The ground's unit is the pixel
that it usually fills on the screen. CarRacing says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from symbench.errors import SymbenchError

if TYPE_CHECKING:
    from numpy.typing import NDArray

CAMERA: Final = "camera"
"""The key of infos."""

_REMEDY: Final = 'where the camera stands still, anchor = "screen" is the same'


def camera_of(value: Any) -> NDArray[np.float64]:
    """What an environment says of its camera, (2, 3), checked.

    Raises:
        SymbenchError: It says nothing, or something else than six finite numbers.
    """
    if value is None:
        raise SymbenchError(f'anchor = "world" needs to know where the camera is, info["{CAMERA}"]; {_REMEDY}')
    camera = np.asarray(value, dtype=np.float64)
    if camera.shape != (2, 3) or not np.isfinite(camera).all():
        raise SymbenchError(f'info["{CAMERA}"] must hold 2 x 3 finite numbers, received {camera.tolist()}')
    return camera


def on_the_ground(pictures: NDArray[Any], cameras: NDArray[np.float64]) -> NDArray[Any]:
    """What cameras see of pictures that lie on the ground, again and again, every other one mirrored: without seams.

    Args:
        pictures: Shape (B, H, W, C).
        cameras: Shape (B, 2, 3).

    Returns:
        Of the same shape and dtype; each pixel shows the nearest of the picture.
    """
    batch, height, width = pictures.shape[:3]
    pixels = np.stack([*np.indices((height, width)).reshape(2, -1), np.ones(height * width)])
    places = np.floor(cameras @ pixels + 0.5).astype(np.int64)
    rows, columns = _folded(places[:, 0], height), _folded(places[:, 1], width)
    seen: NDArray[Any] = pictures[np.arange(batch)[:, None], rows, columns].reshape(pictures.shape)
    return seen


def _folded(places: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """Places on an endless line as places of a picture that lies there mirrored and not mirrored in turns."""
    places = places % (2 * length)
    folded: NDArray[np.int64] = np.minimum(places, 2 * length - 1 - places)
    return folded
