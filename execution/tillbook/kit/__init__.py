"""What every room may use: errors, money, text, time, settings, retries. It knows nothing of the business."""
