"""What the shop sells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Product:
    """One article; the price in minor units of the shop's currency. `aliases` are other names that customers use."""

    sku: str
    name: str
    category: str
    price_minor: int
    available: bool = True
    description: str = ""
    aliases: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    url: str | None = None


class Catalogue:
    """All products. Immutable: an edited file makes a new one."""

    def __init__(self, products: Sequence[Product] = ()) -> None:
        self.products = tuple(products)
        self._by_sku = {product.sku: product for product in self.products}

    def product(self, sku: str) -> Product | None:
        """The product with that number."""
        return self._by_sku.get(sku)
