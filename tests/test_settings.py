"""Settings: refused when absurd, the same after a trip through JSON, declared once for all faces."""

import json
from dataclasses import fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, strategies as st

from patchloom import PRESETS, FillSettings, RunSettings, SettingsError, fill_settings
from patchloom.settings import PRESET_HELP, Preset


def legal(name: str, hint: Any, metadata: Any) -> st.SearchStrategy[Any]:
    """Values that a field declares to be right."""
    low, high = metadata.get("ge"), metadata.get("le")
    if get_origin(hint) is Literal:
        return st.sampled_from(get_args(hint))
    if get_args(hint):
        return st.one_of(*(legal(name, one, metadata) for one in get_args(hint)))
    if hint is int:
        return st.integers(low, high)
    if hint is float:
        return st.floats(low, high, allow_nan=False, allow_infinity=False)
    if hint is bool:
        return st.booleans()
    return st.text(min_size=1, max_size=20)


def any_settings(kind: type[Any]) -> st.SearchStrategy[Any]:
    hints = get_type_hints(kind)
    return st.fixed_dictionaries(
        {item.name: legal(item.name, hints[item.name], item.metadata) for item in fields(kind)}
    )


@given(any_settings(FillSettings))
def test_fill_settings_survive_json(values: dict[str, Any]) -> None:
    settings = FillSettings(**values)
    assert FillSettings.from_dict(json.loads(json.dumps(settings.to_dict()))) == settings


@given(any_settings(RunSettings))
def test_run_settings_survive_json(values: dict[str, Any]) -> None:
    settings = RunSettings(**values)
    assert RunSettings.from_dict(json.loads(json.dumps(settings.to_dict()))) == settings


@pytest.mark.parametrize("kind", [FillSettings, RunSettings])
def test_every_numeric_field_refuses_what_is_no_number_or_out_of_range(kind: type[Any]) -> None:
    for item in fields(kind):
        hint = get_type_hints(kind)[item.name]
        if hint not in (int, float):
            continue
        absurd: list[Any] = [float("nan"), float("inf"), "7", True, [1], 10**400]
        absurd += [
            item.metadata[limit] + step for limit, step in (("ge", -1), ("le", 1)) if limit in item.metadata
        ]
        for value in absurd:
            with pytest.raises(SettingsError) as caught:
                kind(**{item.name: value})
            assert item.name in str(caught.value) and caught.value.hint


def test_choices_and_texts_refuse_other_kinds() -> None:
    for values in (
        {"preset": "swift"},
        {"matching": 3},
        {"content": 5},
        {"content": None},
        {"optimiser": ["adam"]},
    ):
        with pytest.raises(SettingsError):
            FillSettings(**values)  # type: ignore[arg-type]


def test_unknown_names_are_refused_by_name() -> None:
    for build in (FillSettings.from_dict, lambda values: fill_settings(**values)):
        with pytest.raises(SettingsError, match="'sead'"):
            build({"sead": 3})
    with pytest.raises(SettingsError, match="no preset"):
        fill_settings("swift")


def test_presets_are_named_explained_and_overridden() -> None:
    assert set(PRESETS) == set(PRESET_HELP) == set(get_args(Preset))
    for name, settings in PRESETS.items():
        assert settings.preset == name
    assert fill_settings("best", seed=5, grow=None).seed == 5
    assert fill_settings("best", seed=5).iterations == PRESETS["best"].iterations
    assert fill_settings() == PRESETS["balanced"] == FillSettings()


def test_every_setting_says_what_it_does() -> None:
    for kind in (FillSettings, RunSettings):
        for item in fields(kind):
            assert item.metadata["help"].endswith("."), item.name
