"""SIMULATED people who show what they feel in their own way, on real faces: does correcting help them?"""

from tracker.lab.emotion_challenge.report import EmotionReport
from tracker.lab.emotion_challenge.running import run

__all__ = ["EmotionReport", "run"]
