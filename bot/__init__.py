"""Telegram: aiogram listens and answers, python-telegram-bot delivers. The core knows neither."""
