"""Understanding: Rasa graph components, and the plain-Python models behind them."""
