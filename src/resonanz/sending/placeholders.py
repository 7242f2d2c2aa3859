"""Placeholders of campaigns: what `{{ contact.name }}` and its like become in each recipient's copy.

The language is minijinja's, with fuel, so that no template holds the worker up. A content that holds expressions alone
is made ready once with a slot for each, and only the slots are filled for each recipient (`Template.is_simple`); with
conditions, loops, or filters that meddle with escaping, each copy is rendered by itself.

A value that a contact does not have is undefined: `default` takes its place, and without one there is nothing.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from resonanz.mail.links import Later
from resonanz.model import InvalidInput
from resonanz.sending.fields import Fields
from resonanz.store.contacts import Contact

if TYPE_CHECKING:
    from minijinja import Environment, TemplateError

FUEL = 100_000  # instructions for one field of one copy
MAX_RENDERED_CHARACTERS = 5_000_000

OWN = ("unsubscribe_url", "preferences_url", "browser_url")
BUILT_IN = ("name", "address", "language", "id")

_EXPRESSION = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_NOT_SIMPLE = re.compile(r"\{%|\{#")
_ESCAPING = re.compile(r"\|\s*(?:safe|escape|e|urlencode|tojson|urlize|striptags)\b|\bsafe\s*\(")
_FORGIVING = re.compile(r"\|\s*(?:default|d)\b|\bis\s+(?:not\s+)?(?:defined|undefined)\b")
# An address in HTML, and in it expressions behind its beginning: what they become is percent-encoded.
_ADDRESS = re.compile(
    r"""\b((?:href|src|action)\s*=\s*)("(?:\{\{.*?\}\}|[^"])*"|'(?:\{\{.*?\}\}|[^'])*')""", re.I | re.S
)
_SEPARATOR = "\0"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field of a content: where in it, what, and what helps."""

    field: str
    line: int
    what: str
    remedy: str = ""


def context_of(contact: Contact | None) -> dict[str, Any]:
    """Return what placeholders may name for a contact; for nobody, only the addresses of our own pages."""
    known: dict[str, Any] = {}
    if contact is not None:
        known = {**contact.attributes, **{name: str(getattr(contact, name)) for name in BUILT_IN}}
    values = {name: _written(value) for name, value in known.items() if value is not None and value != ""}
    return {"contact": values, **{name: _Own(f"{{{{{name}}}}}") for name in OWN}}


def _written(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


class _Own(str):
    """The placeholder of a page of ours: it stays, for whoever makes the links, whatever else is escaped."""

    __slots__ = ()

    def __html__(self) -> str:
        return self


class Template:
    """The fields of a content with placeholders in them. Safe in several threads."""

    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        self._expressions: list[str] = []  # as `pressed` meets them
        self._lock = threading.Lock()  # an environment renders for one thread at a time

    @cached_property
    def is_simple(self) -> bool:
        """Whether a copy differs from others in the values of expressions alone."""
        written = [text or "" for text in _texts(self._fields).values()]
        if any(_NOT_SIMPLE.search(text) for text in written):
            return False
        found = [match.group(1) for text in written for match in _EXPRESSION.finditer(text)]
        if any(not _is_plain(expression) for expression in found):
            return False
        # Text made from HTML shows addresses as they are, and there nobody would encode what is put into them.
        html = self._fields.html or ""
        return self._fields.text is not None or not any("{{" in match.group(2) for match in _personal_links(html))

    @cached_property
    def pressed(self) -> Fields:
        """The fields with a slot, `{{x0}}` and so on, for each distinct expression."""
        changed = {name: self._with_slots(text) for name, text in _texts(self._fields).items()}
        return _with(self._fields, changed)

    @property
    def names(self) -> tuple[str, ...]:
        """The slots' names."""
        _ = self.pressed  # which finds them
        return tuple(f"x{number}" for number in range(len(self._expressions)))

    def _with_slots(self, text: str | None) -> str | None:
        return None if text is None else _EXPRESSION.sub(self._slot, text)

    def _slot(self, found: re.Match[str]) -> str:
        expression = found.group(1).strip()
        if expression in OWN:
            return f"{{{{{expression}}}}}"
        if expression not in self._expressions:
            self._expressions.append(expression)
        return f"{{{{x{self._expressions.index(expression)}}}}}"

    def later(self, placeholder: str) -> str | None:
        """Leave a slot in a destination for later (`Tracking.resolve`)."""
        return Later(placeholder) if placeholder[2:-2] in self.names else None

    def told(self, text: str) -> str:
        """Return a text with slots as its author wrote it."""
        return re.sub(r"\{\{x(\d+)\}\}", lambda found: self._expression(found), text)

    def _expression(self, found: re.Match[str]) -> str:
        number = int(found.group(1))
        return f"{{{{ {self._expressions[number]} }}}}" if number < len(self._expressions) else found.group()

    def values(self, contact: Contact | None) -> dict[str, str]:
        """Return what goes into the slots for one contact, as plain text. Raises InvalidInput."""
        if not self.names:
            return {}
        with self._lock, _told("placeholders"):
            text = self._values.render_template("values", **context_of(contact))
        values = text.split(_SEPARATOR)
        if len(values) != len(self.names):
            raise InvalidInput("a value holds a NUL character", where="placeholders")
        return dict(zip(self.names, values, strict=True))

    @cached_property
    def _values(self) -> Environment:
        environment = _environment()
        environment.add_template("values", _SEPARATOR.join(f"{{{{ {each} }}}}" for each in self._expressions))
        return environment

    def render(self, contact: Contact | None) -> Fields:
        """Return the fields for one contact. Raises InvalidInput for what cannot be rendered, naming field and line."""
        context = context_of(contact)
        changed: dict[str, str | None] = {}
        for name, source in self._sources.items():
            with self._lock, _told(name):
                changed[name] = self._whole.render_template(name, **context) if source is not None else None
            if len(changed[name] or "") > MAX_RENDERED_CHARACTERS:
                raise InvalidInput(f"grows beyond {MAX_RENDERED_CHARACTERS:,} characters", where=name)
        changed["subject"] = " ".join((changed["subject"] or "").split())
        return _with(self._fields, changed)

    @cached_property
    def _sources(self) -> dict[str, str | None]:
        texts = _texts(self._fields)
        html = texts["html"]
        return {**texts, "html": None if html is None else _ADDRESS.sub(_encoded_address, html)}

    @cached_property
    def _whole(self) -> Environment:
        environment = _environment()
        for name, source in self._sources.items():
            if source is not None:
                with _told(name):
                    environment.add_template(name, source)
        return environment

    def problems(self, attributes: Iterable[str]) -> list[Problem]:
        """Return everything that is wrong with the placeholders, given the contact attributes that there are.

        A name that nobody knows is wrong unless it is used with `default`, or only asked for with `is defined`.
        """
        known = {f"contact.{name}" for name in (*BUILT_IN, *attributes)} | set(OWN) | {"contact"}
        return [
            problem
            for name, source in self._sources.items()
            if source is not None
            for problem in _problems(name, source, known)
        ]


class SubjectLine:
    """A campaign's subject, for lists of its mails: filled for each contact, without the rest of the content."""

    def __init__(self, subject: str) -> None:
        self._subject = subject
        self._template = Template(Fields(sender="", subject=subject, text=None, html=None)) if "{" in subject else None

    def of(self, contact: Contact) -> str:
        """Return the subject in this contact's copy; as its author wrote it where it cannot be rendered."""
        if self._template is None:
            return self._subject
        try:
            return self._template.render(contact).subject
        except InvalidInput:
            return self._subject  # the mail itself fails and says why


def _texts(fields: Fields) -> dict[str, str | None]:
    return {"subject": fields.subject, "preheader": fields.preheader, "html": fields.html, "text": fields.text}


def _with(fields: Fields, changed: Mapping[str, str | None]) -> Fields:
    return replace(
        fields,
        subject=changed["subject"] or "",
        preheader=changed["preheader"] or "",
        html=changed["html"],
        text=changed["text"],
    )


def _is_plain(expression: str) -> bool:
    """Whether an expression was found whole, trims nothing around it, and does not escape by itself."""
    return (
        expression.count('"') % 2 == 0
        and expression.count("'") % 2 == 0
        and expression[:1] not in ("-", "+")
        and expression[-1:] not in ("-", "+")
        and _ESCAPING.search(expression) is None
    )


def _personal_links(html: str) -> Iterator[re.Match[str]]:
    return (match for match in _ADDRESS.finditer(html) if not _is_own(match.group(2)))


def _is_own(value: str) -> bool:
    match = _EXPRESSION.fullmatch(value[1:-1].strip())
    return match is not None and match.group(1).strip() in OWN


def _encoded_address(found: re.Match[str]) -> str:
    """Percent-encode what expressions put into an address behind its beginning."""
    value = found.group(2)

    def encode(match: re.Match[str]) -> str:
        expression = match.group(1).strip()
        is_first = match.start() == 1
        if is_first or expression in OWN or not _is_plain(expression):
            return match.group()
        return f"{{{{ ({expression})|string|urlencode }}}}"

    return found.group(1) + _EXPRESSION.sub(encode, value)


# ── minijinja ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _environment() -> Environment:
    from minijinja import Environment  # the roles that only read settings or pages never need it

    environment = Environment(undefined_behavior="chainable", fuel=FUEL)
    environment.auto_escape_callback = lambda name: name == "html"
    environment.keep_trailing_newline = True
    return environment


class _told:  # noqa: N801  # reads like the context manager that it is
    """Turns what minijinja says about a field into our own error."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: object, error: BaseException | None, _trace: object) -> None:
        from minijinja import TemplateError

        if isinstance(error, TemplateError):
            line = f" line {error.line}" if error.line else ""
            raise InvalidInput(_words(error), where=f"{self._name}{line}") from error


def _words(error: TemplateError) -> str:
    if error.kind == "OutOfFuel":
        return "takes too many steps: is there a loop that goes on and on?"
    return str(error.detail or error.message).strip()


def _problems(name: str, source: str, known: set[str]) -> Iterator[Problem]:
    from minijinja import TemplateError

    environment = _environment()
    try:
        environment.add_template(name, source)
        used = environment.undeclared_variables_in_template(name, nested=True)
        environment.render_template(name, **_sample(known))
    except TemplateError as error:
        yield Problem(name, error.line or 1, _words(error), _SYNTAX if error.kind == "SyntaxError" else "")
        return
    for unknown in sorted(one for one in used if not _is_known(one, known)):
        mention = re.compile(rf"(?<![\w.]){re.escape(unknown)}(?!\w)")
        for tag in _TAG.finditer(source):
            if mention.search(tag.group()) and not _FORGIVING.search(tag.group()):
                line = source.count("\n", 0, tag.start()) + 1
                yield Problem(name, line, f"`{unknown}` is not known", _remedy(unknown, known))


_SYNTAX = "placeholders look like {{ contact.name }}, conditions like {% if contact.name %} … {% endif %}"


def _is_known(name: str, known: set[str]) -> bool:
    """Whether this is a known name, or something inside the value of one."""
    return name in known or any(name.startswith(f"{one}.") for one in known if one != "contact")


def _remedy(unknown: str, known: set[str]) -> str:
    shown = ", ".join(sorted(known - {"contact"}))
    return f'known are {shown}; for others say what stands in their place: {{{{ {unknown}|default("…") }}}}'


def _sample(known: set[str]) -> dict[str, Any]:
    contact = {name.removeprefix("contact."): "sample" for name in known if name.startswith("contact.")}
    return {"contact": contact, **dict.fromkeys(OWN, "https://t.example/")}
