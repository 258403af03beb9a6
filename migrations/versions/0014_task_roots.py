"""The run that pays for a task and for all that came of it"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0014"

down_revision: str | None = "0013"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

ROOTS = """
with recursive roots as (
    select id, parent_run_id as root from delegation_history where parent_id is null
    union all
    select task.id, roots.root
    from delegation_history as task join roots on task.parent_id = roots.id
)
update delegation_history as task set root_run_id = coalesce(
    (select root from roots where roots.id = task.id), task.parent_run_id)
"""


def upgrade() -> None:
    op.add_column("delegation_history", sa.Column("root_run_id", sa.Uuid(), nullable=True))
    op.execute(ROOTS)
    op.alter_column("delegation_history", "root_run_id", nullable=False)
    op.create_index("delegation_history_root", "delegation_history", ["root_run_id"])


def downgrade() -> None:
    op.drop_index("delegation_history_root", "delegation_history")
    op.drop_column("delegation_history", "root_run_id")
