namespace ResearchKit.Formatting;

/// <summary>Draws the state of a run: a progress bar, the numbers and a small loss curve.</summary>
internal static class ProgressView
{
    private static readonly Html Style = Html.Verbatim(
        """
        <style>
        .rk-track{height:8px;width:min(100%,480px);background:var(--rk-ground);border:1px solid var(--rk-line);border-radius:5px;overflow:hidden;margin:4px 0}
        .rk-track>div{height:100%;background:var(--rk-accent)}
        .rk-track.rk-stopped>div{background:#e07b39}
        .rk-track.rk-finished>div{background:#2ba58c}
        </style>
        """);

    public static Html Draw(TrainingProgress progress)
    {
        var name = progress.History.Name;
        var percent = Math.Floor(progress.Share * 100);
        var state = progress.State switch
        {
            TrainingState.Finished => " rk-finished",
            TrainingState.Stopped => " rk-stopped",
            _ => ""
        };
        IEnumerable<string> said = progress.Last is { } last ? Figures(progress, last) : ["no step yet"];
        var figures = said.Select(figure => Html.Of($"<span class=\"rk-num\">{figure}</span>"));
        var series = CurveSeries.Thinned(progress.History, most: 160);   // a third of the plot's width in pixels
        var curve = series.Raw.Count < 2 ? Html.Empty
            : new CurvePicture([series], progress.History.LossUnit, progress.Last?.Steps ?? 0, 480, 180)
            .Draw($"{name}: loss so far");
        return Theme.Output(Html.Of($"""
            <div class="rk-line"><b>{name}</b>{figures}</div>
            <div class="rk-track{state}" role="progressbar" aria-label="{name}" aria-valuemin="0" aria-valuemax="100"
            aria-valuenow="{percent}" aria-valuetext="{progress}"><div style="width:{progress.Share * 100:0.#}%"></div></div>{curve}
            """), Style);
    }

    private static IEnumerable<string> Figures(TrainingProgress progress, Training.StepReport last)
    {
        yield return $"step {Numbers.Count(last.Step)} of {Numbers.Count(last.Steps)}";
        yield return $"loss {Numbers.Short(last.Loss)}";
        foreach (var figure in progress.Evaluated()) yield return figure;
        yield return TrainingProgress.Pace(last);
        foreach (var figure in progress.Machine()) yield return figure;
        yield return progress.Remaining(last);
    }
}
