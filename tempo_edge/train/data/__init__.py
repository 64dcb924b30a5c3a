"""What is trained on: archives of captioned and labelled pictures, and annotations of videos."""
