"""The schema: up, down, and equal to the models, on both engines."""

from __future__ import annotations

from datetime import timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from evalsys.accounts.models import AccessToken, Account
from evalsys.base import migrations
from evalsys.base.access import Role
from evalsys.base.db import Database
from evalsys.collection.assessment_models import Cosigning, SiteVisit
from evalsys.collection.interest_models import InterestDeclaration, InterestTie
from evalsys.collection.models import Assessment, EntryChange, Evidence, Invitation, Response
from evalsys.collection.paper_models import PaperBatch, PaperForm
from evalsys.collection.sample_models import Sample, SamplePart, SampleSeed
from evalsys.evaluation.models import IntegrityFlag
from evalsys.models import metadata
from evalsys.publication.models import Withdrawal
from evalsys.registry.models import Cycle
from evalsys.selection.models import Candidate, Plan
from tests.collection.paper import keyed_batch, make_office, printed
from tests.evaluation.rated import rated_cycle
from tests.factories import NOW, make_account, make_entry, make_stratum, make_vendor
from tests.selection.makers import make_candidate, make_edition, make_plan


def test_migrations_make_the_schema_that_the_models_say(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    assert migrations.current(database) == migrations.head()


def test_migrations_go_down_to_nothing_and_up_again(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    migrations.upgrade(database)
    migrations.downgrade(database, "base")
    assert migrations.current(database) is None
    migrations.upgrade(database)
    assert migrations.current(database) == migrations.head()
    database.dispose()


def test_rows_that_others_point_to_outlive_a_table_made_anew(database: Database) -> None:
    """SQLite drops the old table, and would take what points to it along, or refuse."""
    with database.transaction() as session:
        cycle = rated_cycle(session, contracts=1)
        response = session.scalars(select(Response)).first()
        assert response is not None
        session.add(IntegrityFlag(entry_id=response.entry_id, response_key=response.key, signs=[], codes=" ", weight=0))
        make_candidate(session, make_plan(session), make_vendor(session))
        responses = session.scalar(select(func.count()).select_from(Response))
        assert cycle.id
    migrations.downgrade(database, "0009")
    migrations.upgrade(database)
    with database.reading() as session:
        counted = [session.scalar(select(func.count()).select_from(model)) for model in (Plan, Candidate, Response)]
        assert counted == [1, 1, responses]
        assert session.scalar(select(func.count()).select_from(IntegrityFlag)) == 0
    with database.engine.connect() as connection:
        if database.is_sqlite:
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_evidence_goes_with_its_migration_and_leaves_the_assessments(database: Database) -> None:
    with database.transaction() as session:
        rater = make_account(session, Role.EVALUATOR)
        kept = Assessment(
            entry_id=make_entry(session).id, party="third_party", account_id=rater.id, state="draft", saved_at=NOW
        )
        session.add(kept)
        session.flush()
        named = {"name": "a.pdf", "media_type": "application/pdf", "size": 1, "hash": "a" * 64}
        session.add(Evidence(assessment_id=kept.id, account_id=rater.id, added_at=NOW, **named))
    migrations.downgrade(database, "0013")
    migrations.upgrade(database)
    with database.reading() as session:
        counted = [session.scalar(select(func.count()).select_from(model)) for model in (Assessment, Evidence)]
        assert counted == [1, 0]


def test_declarations_go_with_their_migration_and_leave_the_evaluators(database: Database) -> None:
    with database.transaction() as session:
        entry = make_entry(session)
        rater = make_account(session, Role.EVALUATOR)
        signed = InterestDeclaration(cycle_id=entry.cycle_id, account_id=rater.id, number=1, words="无")
        signed.signed_by, signed.signed_at = rater.name, NOW
        tie = {"vendor_id": entry.contract.vendor_id, "kind": "shares", "of_body": False, "started_on": NOW.date()}
        signed.ties = [InterestTie(**tie)]
        session.add(signed)
    migrations.downgrade(database, "0020")
    migrations.upgrade(database)
    with database.reading() as session:
        kept = (Account, InterestDeclaration, InterestTie)
        assert [session.scalar(select(func.count()).select_from(model)) for model in kept] == [1, 0, 0]


def test_assessments_outlive_what_stands_beside_their_ratings(database: Database) -> None:
    with database.transaction() as session:
        rater = make_account(session, Role.PURCHASER)
        kept = Assessment(
            entry_id=make_entry(session).id, party="purchaser", account_id=rater.id, saved_at=NOW, buy_again=True
        )
        kept.visits, kept.cosigning = [SiteVisit(number=1, place="清江镇")], Cosigning(asked_at=NOW)
        session.add(kept)
        session.flush()
        named = {"name": "a.pdf", "media_type": "application/pdf", "size": 1, "hash": "a" * 64, "kind": "acceptance"}
        session.add(Evidence(assessment_id=kept.id, account_id=rater.id, added_at=NOW, **named))
    migrations.downgrade(database, "0022")
    migrations.upgrade(database)
    with database.transaction() as session:
        kept = session.scalars(select(Assessment)).one()
        assert (kept.buy_again, kept.visits, kept.cosigning) == (None, [], None)
        assert session.scalars(select(Evidence.kind)).all() == ["general"]
        before = session.scalars(select(EntryChange.count)).one()
        kept.held = True  # the triggers still count
    with database.reading() as session:
        assert session.scalars(select(EntryChange.count)).one() > before


def test_accounts_outlive_the_interviewers_role_and_interviewers_keep_it(database: Database) -> None:
    with database.transaction() as session:
        make_account(session, Role.VENDOR, username="vendor")
    migrations.downgrade(database, "0016")
    migrations.upgrade(database)
    with database.transaction() as session:
        assert session.scalars(select(Account.username)).all() == ["vendor"]
        make_account(session, Role.INTERVIEWER)
    stands = migrations.current(database)
    with pytest.raises(IntegrityError, match="role_known"):
        migrations.downgrade(database, "0016")
    assert migrations.current(database) == stands


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_row_that_points_to_nothing_stops_a_migration(database: Database) -> None:
    migrations.downgrade(database, "0009")
    with database.engine.connect() as connection:
        raw = connection.connection.driver_connection
        raw.execute("PRAGMA foreign_keys=OFF")
        raw.execute("INSERT INTO entry (cycle_id, contract_id) VALUES (999, 999)")
        raw.execute("PRAGMA foreign_keys=ON")
    with pytest.raises(RuntimeError, match="point to nothing"):
        migrations.upgrade(database)
    assert migrations.current(database) == "0009"


def test_when_collecting_ended_is_forgotten_and_kept_anew(database: Database) -> None:
    with database.transaction() as session:
        rated_cycle(session, contracts=1).collected_until = NOW
    migrations.downgrade(database, "0012")
    migrations.upgrade(database)
    with database.reading() as session:
        cycle = session.scalars(select(Cycle)).one()
        assert (cycle.state, cycle.collected_until) == ("review", None)
        assert session.scalar(select(func.count()).select_from(Response))


def test_answers_outlive_the_kind_of_helper_and_are_still_watched(database: Database) -> None:
    with database.transaction() as session:
        entry = make_entry(session)
        kept = {"entry_id": entry.id, "mode": "assisted", "time_band": "unknown"}
        session.add(Response(key=b"k" * 16, helper="worker", **kept))
    migrations.downgrade(database, "0021")
    migrations.upgrade(database)
    with database.transaction() as session:
        assert session.execute(select(Response.mode, Response.helper)).all() == [("assisted", None)]
        session.scalars(select(Response)).one().held = True
        session.flush()
        assert session.scalars(select(EntryChange.entry_id)).all() == [entry.id]


def test_invitations_outlive_the_column_of_outcomes(database: Database) -> None:
    with database.transaction() as session:
        entry = make_entry(session)
        for number, outcome in enumerate(("refused", None)):
            session.add(
                Invitation(code_hmac=bytes([number]) * 32, entry_id=entry.id, outcome=outcome, used=not outcome)
            )
    migrations.downgrade(database, "0014")
    migrations.upgrade(database)
    with database.reading() as session:
        kept = session.execute(select(Invitation.used, Invitation.outcome).order_by(Invitation.id)).all()
    assert kept == [(False, None), (True, None)]


def test_invitations_outlive_the_samples_that_they_were_made_for(database: Database) -> None:
    with database.transaction() as session:
        stratum = make_stratum(session)
        seed = SampleSeed(cycle_id=stratum.entry.cycle_id, seed="种子", fixed_at=NOW, fixed_by="甲")
        session.add(seed)
        session.flush()
        given = {"design": "simple", "size": 1, "size_is_percent": False, "least": 0, "spare_percent": 0}
        drawn = Sample(entry_id=stratum.entry_id, seed_id=seed.id, drawn_at=NOW, drawn_by="甲", **given)
        drawn.parts = [SamplePart(stratum_id=stratum.id, frame=50, drawn=1, spare=0)]
        asked = Invitation(code_hmac=b"c" * 32, entry_id=stratum.entry_id, stratum_id=stratum.id, number=7, used=True)
        session.add_all([drawn, asked])
    migrations.downgrade(database, "0019")
    migrations.upgrade(database)
    with database.reading() as session:
        assert session.execute(select(Invitation.used, Invitation.number)).all() == [(True, None)]
        assert session.scalar(select(func.count()).select_from(Sample)) == 0


def test_recipients_with_a_form_on_paper_outlive_the_tables_of_the_forms(database: Database) -> None:
    with database.transaction() as session:
        office = make_office(session)
        forms = printed(session, office, 3)
        keyed_batch(session, office, forms[:2])
    migrations.downgrade(database, "0025")
    migrations.upgrade(database)
    with database.reading() as session:
        assert session.scalars(select(Invitation.outcome)).all() == [None] * 3
        counted = [session.scalar(select(func.count()).select_from(model)) for model in (PaperForm, PaperBatch)]
        assert counted == [0, 0]


def test_access_tokens_go_with_their_migration_and_leave_the_accounts(database: Database) -> None:
    with database.transaction() as session:
        owner = make_account(session, Role.OFFICER)
        times = {"created_at": NOW, "expires_at": NOW + timedelta(days=30)}
        named = {"name": "x", "token_hash": "a" * 64, "scopes": "read:cycles"}
        session.add(AccessToken(account_id=owner.id, region_id=owner.region_id, **named, **times))
    migrations.downgrade(database, "0029")
    migrations.upgrade(database)
    with database.reading() as session:
        counted = [session.scalar(select(func.count()).select_from(model)) for model in (Account, AccessToken)]
        assert counted == [1, 0]


def test_a_withdrawn_edition_cannot_come_back_by_a_downgrade(database: Database) -> None:
    with database.transaction() as session:
        edition = make_edition(session)
        officer, auditor = (make_account(session, role).id for role in (Role.OFFICER, Role.AUDITOR))
        order = {
            "ordered_by": "court",
            "authority": "法院",
            "document": "1 号",
            "ordered_on": NOW.date(),
            "ground": "判决",
        }
        entered = {"entered_at": NOW, "entered_by": "甲", "entered_by_id": officer}
        withdrawal = Withdrawal(edition_id=edition.id, **order, **entered)
        session.add(withdrawal)
    migrations.downgrade(database, "0028")
    migrations.upgrade(database)
    decided = {"state": "confirmed", "decided_at": NOW, "decided_by": "乙", "decided_by_id": auditor}
    with database.transaction() as session:
        session.add(Withdrawal(edition_id=1, **order, **entered, **decided))
    with pytest.raises(RuntimeError, match="withdrawn by order"):
        migrations.downgrade(database, "0028")
