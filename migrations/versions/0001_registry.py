"""Regions, bodies, contracts, cycles and recipient frames."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "region",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("level", sa.String(length=10), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("path", sa.String(length=60), nullable=False),
        sa.CheckConstraint("(parent_id IS NULL) = (level = 'city')", name=op.f("ck_region_only_a_city_is_a_root")),
        sa.CheckConstraint("level IN ('city', 'county', 'township')", name=op.f("ck_region_level_known")),
        sa.ForeignKeyConstraint(["parent_id"], ["region.id"], name=op.f("fk_region_parent_id_region")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_region")),
        sa.UniqueConstraint("code", name=op.f("uq_region_code")),
        sa.UniqueConstraint("path", name=op.f("uq_region_path")),
    )
    op.create_index(op.f("ix_region_parent_id"), "region", ["parent_id"], unique=False)
    op.create_table(
        "purchaser",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("region_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_purchaser_region_id_region")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchaser")),
        sa.UniqueConstraint("region_id", "name", name=op.f("uq_purchaser_region_id_name")),
    )
    op.create_index(op.f("ix_purchaser_region_id"), "purchaser", ["region_id"], unique=False)
    op.create_table(
        "vendor",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("credit_code", sa.String(length=18), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("contact", sa.String(length=60), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.CheckConstraint("length(credit_code) = 18", name=op.f("ck_vendor_credit_code_length")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vendor")),
        sa.UniqueConstraint("credit_code", name=op.f("uq_vendor_credit_code")),
    )
    op.create_index(op.f("ix_vendor_name"), "vendor", ["name"], unique=False)
    op.create_table(
        "evaluator_body",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("credit_code", sa.String(length=18), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("region_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("length(credit_code) = 18", name=op.f("ck_evaluator_body_credit_code_length")),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_evaluator_body_region_id_region")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluator_body")),
        sa.UniqueConstraint("credit_code", name=op.f("uq_evaluator_body_credit_code")),
    )
    op.create_index(op.f("ix_evaluator_body_region_id"), "evaluator_body", ["region_id"], unique=False)
    op.create_table(
        "contract",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("vendor_id", sa.Integer(), nullable=False),
        sa.Column("purchaser_id", sa.Integer(), nullable=False),
        sa.Column("region_id", sa.Integer(), nullable=False),
        sa.Column("service_type", sa.String(length=40), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("procurement_method", sa.String(length=30), nullable=False),
        sa.Column("recipients_served", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "procurement_method IN ('open_tender', 'invited_tender', 'competitive_negotiation', "
            "'competitive_consultation', 'single_source', 'other')",
            name=op.f("ck_contract_procurement_method_known"),
        ),
        sa.CheckConstraint("amount_fen >= 0", name=op.f("ck_contract_amount_not_negative")),
        sa.CheckConstraint("ends_on > starts_on", name=op.f("ck_contract_ends_after_start")),
        sa.CheckConstraint("recipients_served >= 0", name=op.f("ck_contract_served_not_negative")),
        sa.ForeignKeyConstraint(["purchaser_id"], ["purchaser.id"], name=op.f("fk_contract_purchaser_id_purchaser")),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_contract_region_id_region")),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name=op.f("fk_contract_vendor_id_vendor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract")),
        sa.UniqueConstraint("reference", name=op.f("uq_contract_reference")),
    )
    op.create_index(op.f("ix_contract_purchaser_id"), "contract", ["purchaser_id"], unique=False)
    op.create_index(op.f("ix_contract_region_id"), "contract", ["region_id"], unique=False)
    op.create_index(op.f("ix_contract_service_type"), "contract", ["service_type"], unique=False)
    op.create_index(op.f("ix_contract_vendor_id"), "contract", ["vendor_id"], unique=False)
    op.create_table(
        "rules_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(hash) = 64", name=op.f("ck_rules_version_hash_length")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rules_version")),
        sa.UniqueConstraint("hash", name=op.f("uq_rules_version_hash")),
    )
    op.create_table(
        "cycle",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("region_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("opens_on", sa.Date(), nullable=False),
        sa.Column("closes_on", sa.Date(), nullable=False),
        sa.Column("rules_id", sa.Integer(), nullable=True),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.CheckConstraint("state = 'draft' OR rules_id IS NOT NULL", name=op.f("ck_cycle_rules_pinned_when_open")),
        sa.CheckConstraint(
            "state IN ('draft', 'collecting', 'review', 'preliminary', 'published', 'closed')",
            name=op.f("ck_cycle_state_known"),
        ),
        sa.CheckConstraint("closes_on >= opens_on", name=op.f("ck_cycle_closes_after_opening")),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_cycle_region_id_region")),
        sa.ForeignKeyConstraint(["rules_id"], ["rules_version.id"], name=op.f("fk_cycle_rules_id_rules_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cycle")),
        sa.UniqueConstraint("code", name=op.f("uq_cycle_code")),
    )
    op.create_index(op.f("ix_cycle_region_id"), "cycle", ["region_id"], unique=False)
    op.create_table(
        "rules_pin",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("cycle_id", sa.Integer(), nullable=False),
        sa.Column("rules_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("pinned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pinned_by", sa.String(length=120), nullable=False),
        sa.CheckConstraint("length(reason) > 0", name=op.f("ck_rules_pin_reason_given")),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_rules_pin_cycle_id_cycle")),
        sa.ForeignKeyConstraint(["rules_id"], ["rules_version.id"], name=op.f("fk_rules_pin_rules_id_rules_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rules_pin")),
    )
    op.create_index(op.f("ix_rules_pin_cycle_id"), "rules_pin", ["cycle_id"], unique=False)
    op.create_table(
        "entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("cycle_id", sa.Integer(), nullable=False),
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_entry_contract_id_contract")),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_entry_cycle_id_cycle")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry")),
        sa.UniqueConstraint("cycle_id", "contract_id", name=op.f("uq_entry_cycle_id_contract_id")),
    )
    op.create_index(op.f("ix_entry_contract_id"), "entry", ["contract_id"], unique=False)
    op.create_table(
        "stratum",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("township", sa.String(length=60), nullable=False),
        sa.Column("item", sa.String(length=60), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.CheckConstraint("size >= 0", name=op.f("ck_stratum_size_not_negative")),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_stratum_entry_id_entry")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stratum")),
        sa.UniqueConstraint("entry_id", "township", "item", name=op.f("uq_stratum_entry_id_township_item")),
    )
    op.create_table(
        "roster_member",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("stratum_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("contact", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(["stratum_id"], ["stratum.id"], name=op.f("fk_roster_member_stratum_id_stratum")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roster_member")),
        sa.UniqueConstraint("stratum_id", "name", "contact", name=op.f("uq_roster_member_stratum_id_name_contact")),
    )


def downgrade() -> None:
    op.drop_table("roster_member")
    op.drop_table("stratum")
    op.drop_table("entry")
    op.drop_table("rules_pin")
    op.drop_table("cycle")
    op.drop_table("rules_version")
    op.drop_table("contract")
    op.drop_table("evaluator_body")
    op.drop_table("vendor")
    op.drop_table("purchaser")
    op.drop_table("region")
