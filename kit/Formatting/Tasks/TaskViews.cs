using System.Globalization;
using ResearchKit.Results;
using ResearchKit.Tasks;

namespace ResearchKit.Formatting;

/// <summary>Draws the results of pipelines and of evaluation tasks: tables, with a bar for each probability.</summary>
internal static class TaskViews
{
    private const int MostBars = 20, MostRows = 200;

    private static readonly Html Style = Html.Verbatim(
        """
        <style>
        .rk-bar{display:inline-block;vertical-align:middle;width:120px;height:9px;background:var(--rk-ground);
        border-radius:3px;overflow:hidden}
        .rk-bar>i{display:block;height:100%;background:var(--rk-accent)}
        </style>
        """);

    public static void RegisterAll()
    {
        Formatters.Register<Classification>(one => Theme.Output(Draw(one), Style), one => Text([one]));
        Formatters.Register<IEnumerable<Classification>>(all => Theme.Output(Table(["label", "score", "", "input"],
            all.Take(MostRows).Select(one => Row(one.Label, Share(one.Score), Bar(one.Score), one.Input))), Style),
            all => Text([.. all]));
        Formatters.Register<MaskPrediction>(one => Theme.Output(Draw(one), Style), one => Visible.Lines(one.ToString()));
        Formatters.Register<IEnumerable<MaskPrediction>>(all =>
            Theme.Output(Html.Of($"{all.Take(MostRows).Select(Draw)}"), Style),
            all => Visible.Lines(string.Join("\n\n", all)));
        Formatters.Register<AnswerChoice>(one => Theme.Output(Draw(one), Style), one => Visible.Lines(one.ToString()));
        Formatters.Register<TransformedText>(one => ResultTableView.Draw(ResultTable.Of([one])), one => Visible.Lines(one.Text));
        Formatters.Register<IEnumerable<TransformedText>>(all => ResultTableView.Draw(ResultTable.Of(all)),
            all => Visible.Lines(string.Join('\n', all)));
        Formatters.Register<IEnumerable<Transcription>>(all => ResultTableView.Draw(ResultTable.Of(all)),
            all => Visible.Lines(string.Join('\n', all)));
        Formatters.Register<TaskResult>(one => Theme.Output(Draw([one])),
            one => Visible.Lines(new EvaluationResult([one]).ToString()));
        Formatters.Register<EvaluationResult>(all => Theme.Output(Draw(all.Results)), all => Visible.Lines(all.ToString()));
        RecordView.Register<TextScore>(_ => "text under a language model", score =>
        [
            ("nats per token", score.NatsPerToken), ("perplexity", score.Perplexity), ("bits per byte", score.BitsPerByte),
            ("word perplexity", score.WordPerplexity), ("tokens", score.Tokens), ("bytes", score.Bytes), ("words", score.Words),
        ]);
    }

    private static Html Draw(Classification one)
    {
        var more = one.Labels.Count > MostBars ? Html.Of(
            $"<div class=\"rk-cap\">{Numbers.Count(one.Labels.Count - MostBars)} more are not shown</div>") : Html.Empty;
        var rows = one.Labels.Take(MostBars).Select(label => Row(label.Label, Share(label.Score), Bar(label.Score)));
        var table = Table(["label", "score", ""], rows);
        return Html.Of($"<div class=\"rk-line rk-mute\">{Visible.OneLine(one.Input)}</div>{table}{more}");
    }

    private static Html Draw(MaskPrediction one) => Html.Of($"""
        <div class="rk-line rk-mute">{Visible.OneLine(one.Text)}, mask {one.Mask + 1}</div>
        {Table(["token", "probability", "", "text"], one.Candidates.Take(MostBars)
            .Select(each => Row(each.Token, Share(each.Probability), Bar(each.Probability), each.Text)))}
        """);

    private static Html Draw(AnswerChoice one)
    {
        var shares = one.Probabilities;
        return Html.Of($"""
            <div class="rk-line rk-mute">{Visible.OneLine(one.Prompt)}</div>
            {Table(["answer", "among these", "", "nats", "tokens"],
                one.Scores.Take(MostRows).Select((score, at) => Row(score.Answer,
                Share(shares[at]), Bar(shares[at]), Numbers.Short(score.LogProbability), Numbers.Count(score.Tokens))))}
            """);
    }

    private static Html Draw(IReadOnlyList<TaskResult> results) => Table(
        ["task", "documents", "shots", "metric", "value", "standard error", "unit", "better"],
        results.SelectMany(result => result.Metrics.Select(metric => Row(result.Task, Numbers.Count(result.Documents),
            Numbers.Count(result.Shots), metric.Name, Numbers.Short(metric.Value),
            metric.StandardError is { } error ? $"± {Numbers.Short(error)}" : "–", metric.Unit,
            metric.HigherIsBetter ? "higher" : "lower"))));

    private static string Text(IReadOnlyList<Classification> all) => Visible.Lines(string.Join('\n', all.Take(MostRows)));

    private static Html Table(IEnumerable<string> columns, IEnumerable<Html> rows)
    {
        var head = columns.Select(column => Html.Of($"<th scope=\"col\" class=\"rk-left\">{column}</th>"));
        return Html.Of($"<table class=\"rk-tab\"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>");
    }

    private static Html Row(params IEnumerable<object> cells)
    {
        static Html Content(object cell) => cell as Html ?? Html.Of($"{Visible.OneLine((string)cell)}");
        return Html.Of($"<tr>{cells.Select(cell => Html.Of($"<td class=\"rk-left\">{Content(cell)}</td>"))}</tr>");
    }

    /// <summary>A bar for a share; a number outside 0 to 1, as of a regression, has none.</summary>
    private static Html Bar(double share) => share is >= 0 and <= 1
        ? Html.Of($"<span class=\"rk-bar\" aria-hidden=\"true\"><i style=\"width:{Percent(share)}%\"></i></span>") : Html.Empty;

    private static string Percent(double share) => (share * 100).ToString("0.#", CultureInfo.InvariantCulture);

    private static string Share(double share) => share.ToString("0.0000", CultureInfo.InvariantCulture);
}
