"""Notices of preliminary results, objections, replies, rectifications, and their files."""

import sqlalchemy as sa
from alembic import op

from evalsys.base.db import not_permanent, permanent

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notice_letter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("cycle_id", sa.Integer(), nullable=False),
        sa.Column("vendor_id", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_notice_letter_cycle_id_cycle")),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name=op.f("fk_notice_letter_vendor_id_vendor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_letter")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_notice_letter_code_hash")),
        sa.UniqueConstraint("cycle_id", "vendor_id", name=op.f("uq_notice_letter_cycle_id_vendor_id")),
    )
    op.create_index(op.f("ix_notice_letter_vendor_id"), "notice_letter", ["vendor_id"], unique=False)
    op.create_table(
        "preliminary_notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("cycle_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("working_days", sa.Integer(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_by", sa.String(length=120), nullable=False),
        sa.CheckConstraint("working_days >= 0", name=op.f("ck_preliminary_notice_working_days_not_negative")),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_preliminary_notice_cycle_id_cycle")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_preliminary_notice_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_preliminary_notice")),
        sa.UniqueConstraint("run_id", name=op.f("uq_preliminary_notice_run_id")),
    )
    op.create_index(op.f("ix_preliminary_notice_cycle_id"), "preliminary_notice", ["cycle_id"], unique=False)
    op.create_table(
        "notice_reading",
        sa.Column("notice_id", sa.Integer(), nullable=False),
        sa.Column("vendor_id", sa.Integer(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_by", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["preliminary_notice.id"], name=op.f("fk_notice_reading_notice_id_preliminary_notice")
        ),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name=op.f("fk_notice_reading_vendor_id_vendor")),
        sa.PrimaryKeyConstraint("notice_id", "vendor_id", name=op.f("pk_notice_reading")),
    )
    op.create_table(
        "objection",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=30), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("first_id", sa.Integer(), nullable=True),
        sa.Column("ground", sa.String(length=20), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("filed_by", sa.String(length=120), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_by", sa.String(length=120), nullable=False),
        sa.Column("extended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("extension_reason", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=True),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(length=120), nullable=False),
        sa.Column("decided_account_id", sa.Integer(), nullable=True),
        sa.Column("new_run_id", sa.Integer(), nullable=True),
        sa.Column("change", sa.JSON(), nullable=True),
        sa.CheckConstraint(
            "(outcome IS NOT NULL AND outcome = 'corrected') = (new_run_id IS NOT NULL)",
            name=op.f("ck_objection_corrected_by_a_run"),
        ),
        sa.CheckConstraint(
            "(state = 'decided') = (outcome IS NOT NULL AND decided_at IS NOT NULL AND length(reasons) >= 10)",
            name=op.f("ck_objection_decided_with_reasons"),
        ),
        sa.CheckConstraint(
            "ground IN ('calculation', 'record', 'rating', 'tie', 'procedure', 'other')",
            name=op.f("ck_objection_ground_known"),
        ),
        sa.CheckConstraint(
            "outcome IS NULL OR outcome IN ('upheld', 'corrected', 'rejected')", name=op.f("ck_objection_outcome_known")
        ),
        sa.CheckConstraint(
            "state <> 'accepted' OR accepted_at IS NOT NULL", name=op.f("ck_objection_accepted_at_known")
        ),
        sa.CheckConstraint(
            "state IN ('filed', 'accepted', 'decided', 'withdrawn')", name=op.f("ck_objection_state_known")
        ),
        sa.CheckConstraint(
            "(extended_at IS NULL) = (length(extension_reason) = 0)", name=op.f("ck_objection_extension_has_reason")
        ),
        sa.CheckConstraint(
            "(level = 2) = (first_id IS NOT NULL)", name=op.f("ck_objection_second_level_follows_a_first")
        ),
        sa.CheckConstraint("length(statement) BETWEEN 10 AND 3000", name=op.f("ck_objection_statement_length")),
        sa.CheckConstraint("level IN (1, 2)", name=op.f("ck_objection_level_known")),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_objection_entry_id_entry")),
        sa.ForeignKeyConstraint(["first_id"], ["objection.id"], name=op.f("fk_objection_first_id_objection")),
        sa.ForeignKeyConstraint(["new_run_id"], ["run.id"], name=op.f("fk_objection_new_run_id_run")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_objection_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_objection")),
        sa.UniqueConstraint("first_id", name=op.f("uq_objection_first_id")),
        sa.UniqueConstraint("number", name=op.f("uq_objection_number")),
    )
    op.create_index(op.f("ix_objection_entry_id"), "objection", ["entry_id"], unique=False)
    op.create_index(
        "uq_objection_one_open_an_entry",
        "objection",
        ["entry_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('filed', 'accepted')"),
        postgresql_where=sa.text("state IN ('filed', 'accepted')"),
    )
    op.create_table(
        "rectification",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("edition_id", sa.Integer(), nullable=False),
        sa.Column("grade", sa.String(length=40), nullable=False),
        sa.Column("demand", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.String(length=120), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", sa.String(length=120), nullable=False),
        sa.Column("lifted_by_id", sa.Integer(), nullable=True),
        sa.Column("history", sa.JSON(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asking_ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'done') = (done_at IS NOT NULL)", name=op.f("ck_rectification_done_at_known")),
        sa.CheckConstraint(
            "asking_ended_at IS NULL OR asked_at IS NOT NULL", name=op.f("ck_rectification_ended_after_asking")
        ),
        sa.CheckConstraint("lifted_by_id IS NULL OR state = 'done'", name=op.f("ck_rectification_lifted_is_done")),
        sa.CheckConstraint(
            "state = 'open' OR length(report) > 0 OR lifted_by_id IS NOT NULL",
            name=op.f("ck_rectification_reported_in_words"),
        ),
        sa.CheckConstraint("state IN ('open', 'reported', 'done')", name=op.f("ck_rectification_state_known")),
        sa.CheckConstraint("length(demand) >= 10", name=op.f("ck_rectification_demand_given")),
        sa.ForeignKeyConstraint(["edition_id"], ["edition.id"], name=op.f("fk_rectification_edition_id_edition")),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_rectification_entry_id_entry")),
        sa.ForeignKeyConstraint(["lifted_by_id"], ["edition.id"], name=op.f("fk_rectification_lifted_by_id_edition")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rectification")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_rectification_entry_id")),
    )
    op.create_table(
        "reply",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_by", sa.String(length=120), nullable=False),
        sa.Column("return_reason", sa.String(length=500), nullable=False),
        sa.CheckConstraint(
            "(state = 'returned') = (length(return_reason) > 0)", name=op.f("ck_reply_returned_with_reason")
        ),
        sa.CheckConstraint("state IN ('submitted', 'returned', 'published')", name=op.f("ck_reply_state_known")),
        sa.CheckConstraint("length(text) BETWEEN 1 AND 1000", name=op.f("ck_reply_text_length")),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_reply_entry_id_entry")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reply")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_reply_entry_id")),
    )
    op.create_table(
        "appeal_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("objection_id", sa.Integer(), nullable=True),
        sa.Column("reply_id", sa.Integer(), nullable=True),
        sa.Column("rectification_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(CASE WHEN objection_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN reply_id IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN rectification_id IS NULL THEN 0 ELSE 1 END) = 1",
            name=op.f("ck_appeal_file_belongs_to_one"),
        ),
        sa.CheckConstraint("length(hash) = 64", name=op.f("ck_appeal_file_hash_length")),
        sa.ForeignKeyConstraint(["objection_id"], ["objection.id"], name=op.f("fk_appeal_file_objection_id_objection")),
        sa.ForeignKeyConstraint(
            ["rectification_id"], ["rectification.id"], name=op.f("fk_appeal_file_rectification_id_rectification")
        ),
        sa.ForeignKeyConstraint(["reply_id"], ["reply.id"], name=op.f("fk_appeal_file_reply_id_reply")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeal_file")),
    )
    op.create_index(op.f("ix_appeal_file_objection_id"), "appeal_file", ["objection_id"], unique=False)
    op.create_index(op.f("ix_appeal_file_rectification_id"), "appeal_file", ["rectification_id"], unique=False)
    op.create_index(op.f("ix_appeal_file_reply_id"), "appeal_file", ["reply_id"], unique=False)
    op.create_table(
        "follow_up_code",
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("rectification_id", sa.Integer(), nullable=False),
        sa.Column("used", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["rectification_id"], ["rectification.id"], name=op.f("fk_follow_up_code_rectification_id_rectification")
        ),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_follow_up_code")),
    )
    op.create_index(op.f("ix_follow_up_code_rectification_id"), "follow_up_code", ["rectification_id"], unique=False)
    op.create_table(
        "follow_up_count",
        sa.Column("rectification_id", sa.Integer(), nullable=False),
        sa.Column("answer", sa.String(length=10), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "answer IN ('better', 'same', 'worse', 'unknown')", name=op.f("ck_follow_up_count_answer_known")
        ),
        sa.CheckConstraint("count >= 0", name=op.f("ck_follow_up_count_count_not_negative")),
        sa.ForeignKeyConstraint(
            ["rectification_id"], ["rectification.id"], name=op.f("fk_follow_up_count_rectification_id_rectification")
        ),
        sa.PrimaryKeyConstraint("rectification_id", "answer", name=op.f("pk_follow_up_count")),
    )
    op.create_table(
        "published_reply",
        sa.Column("reply_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(["reply_id"], ["reply.id"], name=op.f("fk_published_reply_reply_id_reply")),
        sa.PrimaryKeyConstraint("reply_id", name=op.f("pk_published_reply")),
    )
    op.create_table(
        "recusal",
        sa.Column("objection_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(reason) > 0", name=op.f("ck_recusal_reason_given")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_recusal_account_id_account")),
        sa.ForeignKeyConstraint(["objection_id"], ["objection.id"], name=op.f("fk_recusal_objection_id_objection")),
        sa.PrimaryKeyConstraint("objection_id", "account_id", name=op.f("pk_recusal")),
    )
    for statement in permanent("published_reply", op.get_context().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    for statement in not_permanent("published_reply", op.get_context().dialect.name):
        op.execute(statement)
    op.drop_table("recusal")
    op.drop_table("published_reply")
    op.drop_table("follow_up_count")
    op.drop_index(op.f("ix_follow_up_code_rectification_id"), table_name="follow_up_code")
    op.drop_table("follow_up_code")
    op.drop_index(op.f("ix_appeal_file_reply_id"), table_name="appeal_file")
    op.drop_index(op.f("ix_appeal_file_rectification_id"), table_name="appeal_file")
    op.drop_index(op.f("ix_appeal_file_objection_id"), table_name="appeal_file")
    op.drop_table("appeal_file")
    op.drop_table("reply")
    op.drop_table("rectification")
    op.drop_index(
        "uq_objection_one_open_an_entry",
        table_name="objection",
        sqlite_where=sa.text("state IN ('filed', 'accepted')"),
        postgresql_where=sa.text("state IN ('filed', 'accepted')"),
    )
    op.drop_index(op.f("ix_objection_entry_id"), table_name="objection")
    op.drop_table("objection")
    op.drop_table("notice_reading")
    op.drop_index(op.f("ix_preliminary_notice_cycle_id"), table_name="preliminary_notice")
    op.drop_table("preliminary_notice")
    op.drop_index(op.f("ix_notice_letter_vendor_id"), table_name="notice_letter")
    op.drop_table("notice_letter")
