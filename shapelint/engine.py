"""check(): the way from a target to a report, in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from shapelint.caches import forgotten
from shapelint.diagnosis.scene import proposed
from shapelint.errors import ModelError, SpecError
from shapelint.facts.analysis import Analysis
from shapelint.facts.finding import Finding, Severity
from shapelint.garbage import collected_rarely
from shapelint.load import Loaded, import_path, load, packages_first
from shapelint.load.uncompiled import uncompiled
from shapelint.locks import one_check
from shapelint.registry import select_rules
from shapelint.report.report import Report
from shapelint.request.inputs import Inputs, parse_inputs
from shapelint.request.options import Options, check_kinds, drawn
from shapelint.request.question import Question, question
from shapelint.request.signature import call_mistake
from shapelint.request.spec import Expectation, parse_expect, parse_sizes
from shapelint.restore.module import restored_globals
from shapelint.restore.process import restored_state, shared_state
from shapelint.rulings import installed_rules, said_by
from shapelint.saved import SavedModel, as_advice, is_saved, load_saved
from shapelint.size import Undecidable
from shapelint.source.fault import internal_errors
from shapelint.source.ownership import shown
from shapelint.spec.live import ModelAtHand
from shapelint.terminal.quiet import one_speaks

if TYPE_CHECKING:
    from shapelint.infer.assume import Assumption
    from shapelint.repair.code import Trier
    from shapelint.trace.run import Subject


@one_check()
@collected_rarely()
@internal_errors()
@one_speaks()
@forgotten()
def check(
    target: object,
    inputs: object = None,
    *,
    call_kwargs: Mapping[str, object] | None = None,
    init_kwargs: Mapping[str, object] | None = None,
    build: str | None = None,
    sizes: Any = None,
    expect: str | None = None,
    confirm: Iterable[str] = (),
    train: bool = False,
    method: str | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    picture: bool | None = None,
    calls: bool = True,
) -> Report:
    """The report on a model: a module, a class, a factory, 'pkg.mod:Net', or the path of an .onnx or .pt2 file.

    `inputs` is one spec ("1,3,H,W"), one shape, or the list of positional arguments; where there are none they are
    inferred. `build` is the call that builds the model, as text. `sizes` are asked sizes of symbols
    ({"H": range(32, 513)}); `expect` a spec of the first output; `confirm` names onnxruntime providers ("cpu", "cuda");
    `picture` keeps what the page draws (by default in a notebook), `calls` the calls. Raises a ShapelintError where it
    cannot be done, an InternalError for a bug of shapelint's own. Threads may check, each in its turn.
    """
    check_kinds(call_kwargs=call_kwargs, build=build, method=method, confirm=confirm, select=select, ignore=ignore)
    rules = select_rules(select, ignore, installed_rules())
    asked_of = parse_sizes(sizes), _expected(expect), _providers(confirm)
    options = Options(*asked_of, train, method, drawn(picture), build, calls)
    saved = load_saved(target, init_kwargs, build, method, train=train) if is_saved(target) else None
    parsed, assumes = _given(inputs, call_kwargs, saved, options)
    with import_path(target if saved is None else None), restored_state(imports=True), uncompiled():
        model = _model(target, init_kwargs, parsed, options, saved, assumes=assumes)
        loaded, asked = model.loaded, question(model.inputs, options.sizes)
        analysis, subject = _analysed(loaded, model.inputs, asked, options, saved)
        trier = _trier(target, model.init_kwargs, analysis, options, loaded) if saved is None else None
        found, silenced = said_by(rules, (analysis := _rewritten(analysis, trier)), loaded)
        findings = as_advice(found) if saved is not None else _with_edits(found, loaded, analysis, trier)
    checked = ModelAtHand(target, loaded, analysis, subject, train, () if saved is None else saved.names)
    return replace(_report(model, analysis, findings), silenced=silenced, checked=checked)


def _given(
    inputs: object, call_kwargs: Mapping[str, object] | None, saved: SavedModel | None, options: Options
) -> tuple[Inputs, bool]:
    """The inputs as given, and whether they are to be inferred; what is wrong is told before the model is loaded."""
    parsed = parse_inputs(inputs, call_kwargs) if saved is None else saved.inputs(parse_inputs(inputs, call_kwargs))
    assumes = inputs is None and saved is None and not any(parsed.tensors())
    if not assumes:
        question(parsed, options.sizes)
    return parsed, assumes


def _expected(text: str | None) -> Expectation | None:
    return None if text is None else parse_expect(text)


def _model(
    target: object,
    init_kwargs: Mapping[str, object] | None,
    given: Inputs,
    options: Options,
    saved: SavedModel | None,
    *,
    assumes: bool,
) -> Assumption:
    """The model of a target, ready to be traced, and its inputs, which are inferred where `assumes` says so."""
    from shapelint.infer.assume import Assumption, assume

    if assumes:
        return assume(target, init_kwargs, given, options)
    if saved is not None:
        return Assumption(saved.loaded, init_kwargs, given, "")
    loaded = load(target, init_kwargs=init_kwargs, build=options.build, method=options.method)
    default = torch.get_default_dtype()  # as the import of the user's module leaves it
    fitted = given.fitted(getattr(loaded.module, options.method or "forward"))
    return Assumption(loaded, init_kwargs, fitted.in_dtype(str(default)), "")


def _trier(
    target: object, init_kwargs: Mapping[str, object] | None, analysis: Analysis, options: Options, loaded: Loaded
) -> Trier | None:
    """What tries edits: it builds the model again from edited text. None where there is no text, or nothing to mend."""
    if not isinstance(target, str) or (analysis.diagnosis is None and analysis.samples is None):
        return None
    from shapelint.repair.code import Trier

    again = partial(load, target, init_kwargs=init_kwargs, build=options.build, method=options.method)
    return Trier(again, analysis, options, loaded.sites)


def _rewritten(analysis: Analysis, trier: Trier | None) -> Analysis:
    """The analysis, with what to write in `forward` where that was tried and works."""
    if trier is None:
        return analysis
    from shapelint.repair.code import with_rewrite

    with shared_state():
        return with_rewrite(analysis, trier)


def _with_edits(
    findings: tuple[Finding, ...], loaded: Loaded, analysis: Analysis, trier: Trier | None
) -> tuple[Finding, ...]:
    """The findings, their fixes with the edits that write them."""
    if not any(finding.fix is not None for finding in findings):
        return findings
    from shapelint.diagnosis.called_layers import called_layers
    from shapelint.diagnosis.output_padding import transposing_calls
    from shapelint.repair.arguments import with_edits, without_cell_edits
    from shapelint.repair.code import seen_to_run, tried

    with shared_state():
        seen = [tried(finding, trier) for finding in findings]
        graph = analysis.graph if analysis.diagnosis is None else analysis.diagnosis.graph
        calls = {**transposing_calls(analysis.graph), **called_layers(analysis.graph), **called_layers(graph)}
        edited = with_edits(seen, loaded, None if trier is None else trier.load_again, calls)
        return without_cell_edits(tuple(seen_to_run(finding, trier) for finding in edited))


def _providers(confirm: Iterable[str]) -> tuple[str, ...]:
    providers = (confirm,) if isinstance(confirm, str) else tuple(confirm)
    if providers:
        from shapelint.confirm.runtime import check_provider

        for provider in providers:
            check_provider(provider)
    return providers


def _analysed(
    loaded: Loaded, parsed: Inputs, asked: Question, options: Options, saved: SavedModel | None
) -> tuple[Analysis, Subject]:
    from shapelint.diagnosis.analyse import study
    from shapelint.instrument.frames import raising_place
    from shapelint.instrument.install import tracked_builtins
    from shapelint.trace.recording.errors import OutOfTime

    try:
        with shared_state(), tracked_builtins(loaded.module) as spaces:
            analysis, subject = study(loaded, parsed, asked, options)
    except Undecidable as error:
        said = f"{loaded.name}: the sizes at which {error} is 0 or more cannot be told"
        raise SpecError(f"{said}; write a product of symbols, such as H*W, as one symbol") from error
    except OutOfTime as error:
        place = raising_place(error.__traceback__)
        where = "" if place is None else f" ({shown(str(place.span()))})"
        raise ModelError(f"{loaded.name} does not end: its run was stopped after {error.spent}{where}") from error
    except ModelError as error:
        mistake = call_mistake(getattr(loaded.module, options.method or "forward"), parsed)
        if not mistake:
            raise
        raise ModelError(f"{loaded.name} does not run: {mistake}") from error
    if options.confirm and saved is not None:
        from shapelint.confirm.own_file import confirmed_file
        return confirmed_file(analysis, subject, saved.file, options.confirm), subject
    if options.confirm:
        with packages_first(), ExitStack() as stack:
            from shapelint.confirm.points import confirmed

            for space in spaces.values():
                stack.enter_context(restored_globals(space, {}))
            return confirmed(analysis, loaded, subject, options.confirm, train=options.train), subject
    return analysis, subject


def _report(model: Assumption, analysis: Analysis, findings: tuple[Finding, ...]) -> Report:
    verified = tuple(
        "cpu" if each.provider.startswith("CPU") else each.provider
        for each in analysis.confirmations
        if each.repaired and each.ok
    )
    order = {"error": 0, "warning": 1, "note": 2}
    modest = bool(model.sentence) and not analysis.certain
    marked = [_verified(_modest(each) if modest else each, tuple(dict.fromkeys(verified))) for each in findings]
    marked.sort(key=lambda finding: (order[finding.severity], _place(finding), finding.code))
    return Report(
        target=model.loaded.name,
        inputs=model.inputs.texts(),
        asked=analysis.asked,
        contract=analysis.contract,
        findings=tuple(marked),
        pairs=analysis.pairs,
        confirmations=analysis.confirmations,
        remarks=(*model.loaded.notes, *analysis.remarks),
        picture=None if analysis.picture is None else proposed(analysis.picture, marked),
        assumed=model.sentence,
        comment=model.comment,
        every_call=analysis.calls,
    )


def _modest(finding: Finding) -> Finding:
    """The finding as it is told of sizes that nobody has asked about: a wrong assumption is no defect."""
    return replace(finding, severity=Severity.NOTE) if finding.severity is Severity.WARNING else finding


def _place(finding: Finding) -> tuple[str, int, int]:
    where = finding.location
    return ("", 0, 0) if where is None else (where.file, where.line, where.column)


def _verified(finding: Finding, providers: tuple[str, ...]) -> Finding:
    if finding.fix is None or not finding.fix.assignments:
        return finding
    return replace(finding, fix=replace(finding.fix, verified=(*finding.fix.verified, *providers)))
