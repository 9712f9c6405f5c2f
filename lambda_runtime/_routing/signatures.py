"""How a handler wants to be called, read from its signature when it is declared.

Parameters may have any names; what counts is how many there are. The `inspect` module would cost
every cold start 10 to 25 ms, so it is loaded only for what is no plain function or method.
"""

from __future__ import annotations

from lambda_runtime.errors import RouteError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["arguments_of", "check_result", "name_of", "refuse_lazy"]

_LAZY_RESULTS = frozenset({"coroutine", "generator", "async_generator"})
# Flags of a code object: it has *args, is a generator, a coroutine, an asynchronous generator.
_STAR, _GENERATOR, _COROUTINE, _ASYNC_GENERATOR = 0x04, 0x20, 0x80, 0x200


def arguments_of(function: Any, arguments: tuple[str, ...], *, least: int) -> int:
    """How many of `arguments` the function is called with: `least` to all of them.

    An argument beyond those it requires is passed only to a parameter of that very name, because
    an optional parameter (`retries=3`) is otherwise the handler's own affair:

        def placed(change): ...                  # 1 of ("change", "context")
        def placed(change, invocation): ...      # 2
        def placed(change, context=None): ...    # 2
        def placed(change, retries=3): ...       # 1

    Raises:
        RouteError: for anything that cannot be called so, and for functions whose call only makes
            a coroutine or generator, so that their body would never run.
    """
    if not callable(function) or isinstance(function, type):
        raise RouteError(f"a handler must be a function, got {function!r}")
    flags, names, required, unmet = _signature(function)
    name = name_of(function)
    _refuse_flags(flags, name)
    possible = len(arguments) if flags & _STAR else len(names)
    if unmet or required > len(arguments) or possible < least:
        raise RouteError(
            f"{name} cannot be called with ({', '.join(arguments[:least])}) or with "
            f"({', '.join(arguments)}): it has the parameters ({', '.join((*names, *unmet))})"
        )
    count = max(required, least)
    while count < min(len(names), len(arguments)) and names[count] == arguments[count]:
        count += 1
    return count


def refuse_lazy(function: Any) -> None:
    """Raise `RouteError` for a function whose call only makes a coroutine or generator."""
    _refuse_flags(_signature(function)[0], name_of(function))


def check_result(function: Any, result: Any) -> None:
    """Raise `RouteError` when a call has returned a coroutine or generator, whose body never ran.

    That of a plain function, such as `lambda change: send(change)` around a coroutine function.
    """
    kind = type(result).__name__
    if kind in _LAZY_RESULTS:
        if kind == "coroutine":
            result.close()  # Python would warn that nobody has awaited it.
        raise RouteError(
            f"{name_of(function)} returned {'an' if kind[0] == 'a' else 'a'} "
            f"{kind.replace('_', ' ')}, so nothing of it ran; "
            "run it in a plain function, a coroutine with asyncio.run(...)"
        )


def name_of(function: Any) -> str:
    """The name a route has in logs and errors: `created`, `Orders.created`."""
    return str(getattr(function, "__qualname__", type(function).__qualname__))


def _refuse_flags(flags: int, name: str) -> None:
    if flags & (_GENERATOR | _COROUTINE | _ASYNC_GENERATOR):
        raise RouteError(
            f"{name} is asynchronous or a generator, so calling it would not run its body; "
            "write a plain function (concurrency=n runs several at a time)"
        )


def _signature(function: Any) -> tuple[int, tuple[str, ...], int, tuple[str, ...]]:
    """Flags, positional parameters, how many of them are required, required keyword-only ones."""
    code = getattr(function, "__code__", None)
    if code is None or hasattr(function, "__wrapped__"):
        return _inspected(function)
    bound = 1 if hasattr(function, "__self__") else 0
    names = code.co_varnames[bound : code.co_argcount]
    required = len(names) - len(function.__defaults__ or ())
    keyword_only = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    given = function.__kwdefaults__ or {}
    return code.co_flags, names, max(required, 0), tuple(n for n in keyword_only if n not in given)


def _inspected(function: Any) -> tuple[int, tuple[str, ...], int, tuple[str, ...]]:
    import inspect  # noqa: PLC0415 - see above: only for partials, wrappers and objects

    try:
        parameters = list(inspect.signature(function).parameters.values())
    except ValueError:  # Some built-in functions have no signature: let the first call decide.
        return _STAR, (), 0, ()
    lazy = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)
    bodies = (function, inspect.unwrap(function), function.__call__)
    flags = _COROUTINE if any(is_lazy(body) for is_lazy in lazy for body in bodies) else 0
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        flags |= _STAR
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    required = sum(p.default is p.empty for p in positional)
    unmet = tuple(p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty)
    return flags, tuple(p.name for p in positional), required, unmet
