"""What clients of IOPaint and lama-cleaner ask for; only ``app.py`` knows of it."""
