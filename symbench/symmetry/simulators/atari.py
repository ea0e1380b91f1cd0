"""How a reflection acts on the memory of the Atari console, for Pong and Breakout.

Positions are bytes of the console's memory (RAM), so they can be mirrored there. The paddles cannot: their knobs belong
to the emulator. The second environment's paddle is therefore the one that the transformed actions have moved, from a
start that is not mirrored: what the comparison shows is that the ball, the opponent and the bricks follow the declared
reflection, not that the paddle does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from symbench.symmetry.simulators.base import Simulator

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from symbench.symmetry.simulators.base import Env

    Ram = NDArray[np.uint8]


class AtariState(Simulator):
    """For ``ALE/...`` ids without sticky actions, which would remember untransformed actions.

    Args:
        mirrored: Byte to the number c: the position x becomes c - x; 0 means that there is nothing.
        negated: Bytes that change sign: velocities.
        kept: Bytes that belong to the paddle.
        swapped: Pairs of bits ((byte, bit), (byte, bit)) that change place.
    """

    def __init__(
        self,
        mirrored: Mapping[int, int],
        negated: Collection[int],
        kept: Collection[int],
        swapped: Collection[tuple[tuple[int, int], tuple[int, int]]] = (),
    ) -> None:
        self.mirrored, self.negated, self.kept, self.swapped = mirrored, negated, kept, swapped

    def align(self, first: Env, second: Env, element: Any) -> None:
        """See :meth:`Simulator.align`."""
        source: Any = first.unwrapped
        target: Any = second.unwrapped
        wanted, present = self._moved(source.ale.getRAM()), target.ale.getRAM()
        for byte in (wanted != present).nonzero()[0].tolist():
            if byte not in self.kept:
                target.ale.setRAM(byte, int(wanted[byte]))

    def _moved(self, ram: Ram) -> Ram:
        moved: Ram = ram.copy()
        for byte, total in self.mirrored.items():
            moved[byte] = (total - int(ram[byte])) % 256 if ram[byte] else 0
        for byte in self.negated:
            moved[byte] = -int(ram[byte]) % 256
        for (byte, bit), (other, other_bit) in self.swapped:
            others = int(moved[byte]) & ~(1 << bit)
            moved[byte] = others | (int(ram[other]) >> other_bit & 1) << bit
        return moved


def _cells(row: int) -> list[tuple[int, int]]:
    """The 36 halves of a row of Breakout's bricks from left to right as (byte, bit); row 0 is the lowest."""
    return [
        *((row + 30, bit) for bit in (6, 7)),
        *((row + 24, bit) for bit in range(7, -1, -1)),
        *((row + 18, bit) for bit in range(8)),
        *((row + 12, bit) for bit in range(4, 8)),
        *((row + 6, bit) for bit in range(7, -1, -1)),
        *((row, bit) for bit in range(6)),
    ]


# MEASURED: where the mirrored memory shows the mirrored screen, pixel for pixel but for the paddles that are kept.
PONG: Final = AtariState(mirrored={54: 252, 50: 242, 21: 242}, negated=(56,), kept=(4, 51, 60))
BREAKOUT: Final = AtariState(
    mirrored={99: 256},
    negated=(105,),
    kept=(72,),
    swapped=[pair for row in range(6) for pair in zip(_cells(row), _cells(row)[::-1], strict=True)],
)
