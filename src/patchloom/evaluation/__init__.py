"""Methods over images and holes: fills, metrics, reports, votes."""
