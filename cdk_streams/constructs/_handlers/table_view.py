"""The handler of a `TableView`; its environment says which view is kept where."""

from lambda_runtime.views import view_handler

__all__ = ["handler"]

handler = view_handler()
