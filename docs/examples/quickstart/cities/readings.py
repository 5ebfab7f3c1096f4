"""The readings themselves, and one question to ask of them."""

READINGS: list[tuple[str, int, float]] = [
    # city, month, mean temperature in degrees Celsius
    ("Berlin", 1, 0.6), ("Berlin", 4, 9.1), ("Berlin", 7, 19.3), ("Berlin", 10, 10.2),
    ("Lisbon", 1, 11.6), ("Lisbon", 4, 15.5), ("Lisbon", 7, 23.4), ("Lisbon", 10, 18.6),
    ("Oslo", 1, -3.9), ("Oslo", 4, 4.9), ("Oslo", 7, 17.7), ("Oslo", 10, 6.3),
]


def warmest(readings: list[tuple[str, int, float]]) -> str:
    """The city of the highest reading."""
    return max(readings, key=lambda reading: reading[2])[0]
