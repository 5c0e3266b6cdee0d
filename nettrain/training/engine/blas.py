"""One BLAS thread: the number of threads changes the bits of a product, so none of nettrain's products uses more than one."""

from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import ThreadpoolController


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Inside, every BLAS call uses one thread; afterwards as many as before."""
    with ThreadpoolController().limit(limits=1, user_api="blas"):
        yield
