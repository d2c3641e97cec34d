using ResearchKit.Data;
using ResearchKit.Results;
using static TorchSharp.torch;

namespace ResearchKit.Formatting;

/// <summary>Draws data sets: their size and a table of some examples.</summary>
internal static class ExampleViews
{
    private const int MostClasses = 24;
    private const int MostRows = 10;
    private const int MostFeatures = 10;
    private const int LongestText = 240;
    private const int MostTokens = 24;

    public static void RegisterAll()
    {
        Register<ImageSet>(set => set.ToString(), Classes);
        Register<AudioSet>(set => set.ToString(), Clips);
        Formatters.Register<AudioClip>(AudioView.Draw, clip => Visible.OneLine(clip.ToString()));
        Register<LabelledTexts>(set => set.ToString(), set =>
            Table(set.Count, ["text", "class"], row => [Shortened(set.Texts[row]), Name(set.ClassNames, set.Labels[row])]));
        Register<TextPairs>(pairs => Numbers.Count(pairs.Count, "pair"), pairs =>
            Table(pairs.Count, ["source", "target"], row => [Shortened(pairs.Sources[row]), Shortened(pairs.Targets[row])]));
        Register<TokenPairs>(pairs => $"{Numbers.Count(pairs.Count, "pair")} of tokens",
            pairs => Tokens(pairs, "source", "target"));
        Register<LabelledTokens>(set => $"{Numbers.Count(set.Count, "sequence")} of tokens",
            set => Tokens(set, "tokens", "class"));
        Register<TableSet>(set => set.ToString(), Features);
    }

    /// <summary>Registers a view with a title, a table of examples, and a note on those left out.</summary>
    private static void Register<T>(Func<T, string> title, Func<T, (ResultTable Table, string Left)> examples)
        where T : notnull =>
        Formatters.Register<T>(
            set => examples(set) switch
            {
                var (table, left) => Theme.Output(
                Html.Of($"<div class=\"rk-line\"><b>{Visible.OneLine(title(set))}</b></div>{ResultTableView.Fragment(table)}<div "
                    + $"class=\"rk-cap\">{left}</div>"))
            },
            set => examples(set) switch
            {
                var (table, left) => string.Join('\n',
                new[] { Visible.OneLine(title(set)), ResultTableView.Text(table), left }.Where(part => part.Length > 0))
            });

    /// <summary>Returns a table of some rows at equal distances.</summary>
    private static (ResultTable, string) Table(long count, IReadOnlyList<string> columns, Func<int, IReadOnlyList<object?>> row)
    {
        using var scope = NewDisposeScope();
        var axis = SampledAxis.AtMost(count, MostRows);
        return (new ResultTable(columns, [.. axis.Indexes.Select(index => row((int)index))]), axis.Caption("showing rows") ?? "");
    }

    private static (ResultTable, string) Classes(ImageSet set)
    {
        using var scope = NewDisposeScope();
        var labels = set.Labels.data<long>().ToArray();
        var groups = labels.Select((label, picture) => (label, picture)).GroupBy(pair => pair.label, pair => (long)pair.picture)
            .OrderBy(group => group.Key).ToList();
        var rows = groups.Take(MostClasses).Select(group => (IReadOnlyList<object?>)
            [Name(set.ClassNames, group.Key), group.LongCount(), PictureStrip.Draw(set, [.. group])]);
        return (new ResultTable(["class", "pictures", "the first of them"], [.. rows]),
            More(groups.Count - MostClasses, "classes"));
    }

    private static (ResultTable, string) Clips(AudioSet set) =>
        Table(set.Clips.Count, ["clip", "class", "seconds", "waveform"], row =>
        [Shortened(set.Names[row]), Name(set.ClassNames, set.Labels[row]), set.Clips[row].Seconds,
            Waveform.Draw(set.Clips[row])]);

    private static (ResultTable, string) Features(TableSet set)
    {
        var shown = set.FeatureNames.Take(MostFeatures).ToList();
        var (table, left) = Table(set.Count, ["class", .. shown], row =>
            [Name(set.ClassNames, set.Labels[row].item<long>()), .. shown.Select((_, column) => set.Features[row, column]
                .item<float>() is var value && float.IsNaN(value) ? null : (object)value)]);
        return (table, string.Join("; ",
            new[] { left, More(set.FeatureNames.Count - MostFeatures, "features") }.Where(part => part.Length > 0)));
    }

    private static (ResultTable, string) Tokens(IExamples examples, string source, string target) =>
        Table(examples.Count, [source, target], row =>
    {
        var batch = examples.Fetch([row]);
        return [Ids(batch.Inputs), batch.Targets.numel() == 1 ? batch.Targets.item<long>() : Ids(batch.Targets)];
    });

    private static string Ids(Tensor tokens)
    {
        var ids = tokens.data<long>().ToArray();
        return string.Join(' ', ids.Take(MostTokens)) + (ids.Length > MostTokens ? $" … {Numbers.Count(ids.Length)} in all" : "");
    }

    private static string Name(IReadOnlyList<string> names, long label) =>
        label >= 0 && label < names.Count ? Visible.OneLine(names[(int)label]) : $"{label}, which has no name";

    private static string Shortened(string text)
    {
        var line = Visible.OneLine(text.Length > LongestText ? text[..LongestText] : text);
        return text.Length > LongestText ? $"{line}…" : line;
    }

    private static string More(int count, string what) => count > 0 ? $"{Numbers.Count(count)} more {what} are not shown" : "";
}
