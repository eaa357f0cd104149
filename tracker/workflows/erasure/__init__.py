"""Erase a person, what one scope covers, or a stretch of time, in two stages: data gone, learners clean.

An erasure is a row of steps, each of which can be done again: a tombstone is set, the keys are destroyed, the rows
deleted, the files rebuilt; then it looks, and only what it has seen to be gone is called done. Whoever is killed on
the way leaves the tombstone behind, and `resume` finishes the rest.
"""

from tracker.workflows.erasure import certificate as certificate
from tracker.workflows.erasure.carrying import begun as begun
from tracker.workflows.erasure.carrying import carry_out as carry_out
from tracker.workflows.erasure.carrying import clean_learners as clean_learners
from tracker.workflows.erasure.carrying import erase_person as erase_person
from tracker.workflows.erasure.carrying import erase_scope as erase_scope
from tracker.workflows.erasure.carrying import erase_stretch as erase_stretch
from tracker.workflows.erasure.carrying import go_on as go_on
from tracker.workflows.erasure.carrying import of_scopes as of_scopes
from tracker.workflows.erasure.carrying import of_stretches as of_stretches
from tracker.workflows.erasure.carrying import resume as resume
from tracker.workflows.erasure.carrying import settle as settle
from tracker.workflows.erasure.carrying import stages as stages
from tracker.workflows.erasure.certificate import certify as certify
from tracker.workflows.erasure.errors import ErasureIncompleteError as ErasureIncompleteError
from tracker.workflows.erasure.outcome import Erased as Erased
from tracker.workflows.erasure.replaying import replay as replay
from tracker.workflows.erasure.steps import STEPS as STEPS
