"""Placeholders: what a contact gets, what an author is told, and that no template can do harm."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonanz.model import InvalidInput
from resonanz.sending.fields import Fields
from resonanz.sending.placeholders import Template
from resonanz.store.contacts import Contact
from tests.kit.mails import NOW

ADA = Contact(UUID(int=1), "ada@rcpt.example", "Ada <Lovelace>", NOW, "en", {"city": "London & Paris", "orders": 3.0})
NOBODY = Contact(UUID(int=2), "nn@rcpt.example", "", NOW)


@pytest.mark.parametrize(
    ("html", "wanted"),
    [
        ("<p>{{ contact.name }}</p>", "<p>Ada &lt;Lovelace&gt;</p>"),
        ("{{ contact.orders }} {{ contact.address }}", "3 ada@rcpt.example"),
        ("{% if contact.orders > 2 %}many{% else %}few{% endif %}", "many"),
        ("{% for n in range(3) %}{{ n }}{% endfor %}", "012"),
        ('<a href="https://x.example/?q={{ contact.city }}">', '<a href="https://x.example/?q=London%20%26%20Paris">'),
        ('<a href="{{ unsubscribe_url }}">', '<a href="{{unsubscribe_url}}">'),
        ('{% if true %}<a href="{{ browser_url }}">{% endif %}', '<a href="{{browser_url}}">'),
        ('{{ contact.nick|default("you") }}', "you"),
        ("[{{ contact.nick }}]", "[]"),
    ],
)
def test_what_a_contact_gets(html: str, wanted: str) -> None:
    """Values are escaped in HTML and percent-encoded in addresses; our own pages keep their placeholders."""
    assert Template(_fields(html=html)).render(ADA).html == wanted


def test_text_and_subject_are_plain() -> None:
    """Outside HTML nothing is escaped, and a subject stays on one line."""
    rendered = Template(_fields(subject="For {{ contact.name }}\n now", text="{{ contact.city }}")).render(ADA)
    assert rendered.subject == "For Ada <Lovelace> now"
    assert rendered.text == "London & Paris"


def test_a_value_that_is_missing_gives_way_to_its_default() -> None:
    """An empty name is as good as none."""
    assert Template(_fields(html='{{ contact.name|default("friend") }}')).render(NOBODY).html == "friend"


@pytest.mark.parametrize(
    ("html", "line", "words"),
    [
        ("\n\n{{ contact.nmae }}", 3, "`contact.nmae` is not known"),
        ("{{ name }}", 1, "`name` is not known"),
        ("{% if false %}\n{{ contact.x }}{% endif %}", 2, "`contact.x` is not known"),
        ("a\n{% if %}", 2, "unexpected"),
        ("{{ contact.name|nope }}", 1, "nope"),
        ("{% for n in range(99999) %}{% for m in range(99999) %}x{% endfor %}{% endfor %}", 1, "steps"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(html: str, line: int, words: str) -> None:
    """An author learns of unknown names, wrong syntax and endless loops before anything is sent."""
    [problem] = Template(_fields(html=html)).problems(["city"])
    assert (problem.field, problem.line) == ("html", line)
    assert words in problem.what


@pytest.mark.parametrize(
    "html",
    [
        "{{ contact.name }} {{ contact.city }} {{ contact.language }} {{ preferences_url }}",
        '{{ contact.nmae|default("x") }}',
        "{% if contact.vip is defined %}yes{% endif %}",
        "{% for each in [1, 2] %}{{ each }}{% endfor %}",
        "{% set x = contact.name %}{{ x }}",
    ],
)
def test_what_is_right_is_no_problem(html: str) -> None:
    """Known names, defaults for unknown ones, and a template's own variables are all well."""
    assert Template(_fields(html=html)).problems(["city"]) == []


@pytest.mark.parametrize(
    ("html", "is_simple"),
    [
        ("{{ contact.name }}", True),
        ('{{ contact.name|default("you")|upper }}', True),
        ("{% if contact.name %}x{% endif %}", False),
        ("{{ contact.name|safe }}", False),
        ("{{- contact.name }}", False),
        ('{{ "}}" }}', False),
    ],
)
def test_what_needs_no_rendering_of_its_own(html: str, is_simple: bool) -> None:
    """Expressions alone go through the press; whatever meddles with escaping or flow does not."""
    assert Template(_fields(html=html, text="")).is_simple is is_simple


@given(st.text(), st.text())
def test_both_ways_say_the_same(name: str, city: str) -> None:
    """Whatever a contact is called, slots filled one by one read like the template rendered whole."""
    who = Contact(UUID(int=3), "x@rcpt.example", name.replace("\0", ""), NOW, "", {"city": city.replace("\0", "")})
    template = Template(_fields(text='Dear {{ contact.name|default("you") }} in {{ contact.city }}!'))
    values = template.values(who)
    pressed = template.pressed.text or ""
    for slot, value in values.items():
        pressed = pressed.replace(f"{{{{{slot}}}}}", value, 1) if "{{" not in value else pressed
    if not any("{{" in value for value in values.values()):
        assert pressed == template.render(who).text


@pytest.mark.parametrize(
    "html", ["{{ 'x' * 10000000000 }}", "{% include 'settings' %}", "{{ contact.name.__class__.mro() }}"]
)
def test_no_template_reaches_out(html: str) -> None:
    """Endless texts, files and Python's insides are errors that name the field."""
    with pytest.raises(InvalidInput) as refused:
        Template(_fields(html=html)).render(ADA)
    assert refused.value.where.startswith("html")


def _fields(**changes: Any) -> Fields:
    values: dict[str, Any] = {"sender": "a@b.example", "subject": "s", "text": None, "html": None}
    return Fields(**{**values, **changes})
