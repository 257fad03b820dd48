"""The aiohttp front door: chat, REST, health and the demo shop."""
