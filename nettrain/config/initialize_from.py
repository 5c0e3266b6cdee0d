"""The key `initialize_from`: the weights of another run to begin with, for fine-tuning."""

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field

from nettrain.component import Record, Text


@dataclass(frozen=True, kw_only=True)
class InitializeFrom(Record):
    """Initial weights from another run or checkpoint, layer by layer; a bare string is the run."""

    run: Annotated[
        Text,
        Field(
            description="run directory (its best checkpoint) or checkpoint, relative to the config",
            examples=["runs/digits"],
        ),
    ]
    leave_out: Annotated[
        tuple[Text, ...],
        Field(description="layers (dense_3) or parameters (dense_3.b) that are initialized anew"),
    ] = ()

    def absolute(self, folder: Path) -> "InitializeFrom":
        """The same with a path that counts from no folder."""
        return dataclasses.replace(self, run=os.path.abspath(folder / self.run))


def _expand(value: object) -> object:
    return {"run": value} if isinstance(value, str) else value


Initialization = Annotated[
    InitializeFrom | None,
    BeforeValidator(_expand, json_schema_input_type=Text | InitializeFrom | None),
    Field(description="a run whose weights this one begins with, layer by layer, by name"),
]
