"""Training: the towers of a profile, and the grounder that reads what they saw.

``data`` reads pictures, captions and annotations; ``towers`` trains both towers of a profile;
``grounder`` teaches the decoder, by SFT and then by PIR-GRPO; ``hub`` lets a model of a hub learn
in its place. Arrows lead from the last of them to the first. Needs the ``train`` extra, and is
never imported at run time.
"""
