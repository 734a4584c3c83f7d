"""Every room's tables, imported so that the metadata is whole."""

from evalsys.accounts import models as accounts
from evalsys.appeals import models as appeals
from evalsys.base import audit, audit_chain, limits, outbox
from evalsys.base.db import Base
from evalsys.collection import assessment_models
from evalsys.collection import interest_models as interests
from evalsys.collection import interview_models as interviews
from evalsys.collection import models as collection
from evalsys.collection import paper_models as collection_paper
from evalsys.collection import sample_models as samples
from evalsys.collection.messages import models as messages
from evalsys.evaluation import models as evaluation
from evalsys.publication import models as publication
from evalsys.registry import models as registry
from evalsys.selection import models as selection

metadata = Base.metadata

__all__ = [
    "accounts",
    "appeals",
    "assessment_models",
    "audit",
    "audit_chain",
    "collection",
    "collection_paper",
    "evaluation",
    "interests",
    "interviews",
    "limits",
    "messages",
    "metadata",
    "outbox",
    "publication",
    "registry",
    "samples",
    "selection",
]
