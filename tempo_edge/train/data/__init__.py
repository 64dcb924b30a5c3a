"""The data to train on: archives of captioned and labelled pictures, annotations of videos."""
