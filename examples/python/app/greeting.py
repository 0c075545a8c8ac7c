"""What the program says."""


def greet(name: str) -> str:
    return f"Hello, {name}!"
