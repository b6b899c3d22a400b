"""The whole contract of `RecordStore`: inherit `RecordStoreContract`, implement ``open``."""

from __future__ import annotations

from typing import ClassVar

from daybook.protocols.record_store import RecordStore
from daybook.registry import Engine
from daybook.testing.record_concurrency_contract import RecordConcurrencyContract
from daybook.testing.record_extend_contract import RecordExtendContract
from daybook.testing.record_list_contract import RecordListContract
from daybook.testing.record_restore_contract import RecordRestoreContract
from daybook.testing.record_state_machine import run_record_machine
from daybook.testing.record_write_contract import RecordWriteContract

__all__ = ["RecordStoreContract"]


class RecordStoreContract(
    RecordWriteContract,
    RecordListContract,
    RecordExtendContract,
    RecordRestoreContract,
    RecordConcurrencyContract,
):
    """Every promise of `daybook.protocols.record_store`.

    Attributes:
        machine_examples: Random histories compared with the model.
        machine_steps: Calls in each.
    """

    machine_examples: ClassVar[int] = 25
    machine_steps: ClassVar[int] = 30

    def store_of(self, engine: Engine) -> RecordStore:
        """Return the records."""
        return engine.records

    def test_random_histories_agree_with_the_model(self) -> None:
        """A Hypothesis state machine; see `daybook.testing.record_state_machine`."""
        run_record_machine(self, examples=self.machine_examples, steps=self.machine_steps)
