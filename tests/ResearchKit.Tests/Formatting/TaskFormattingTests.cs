using ResearchKit.Formatting;
using ResearchKit.Tasks;

namespace ResearchKit.Tests.Formatting;

public sealed class TaskFormattingTests : IDisposable
{
    private readonly Func<object, Action<object>>? host = LiveDisplay.Host;

    public void Dispose() => LiveDisplay.Host = host;

    [Fact]
    public void Labels_are_a_table_with_bars()
    {
        var found = new Classification("a film", [new("good", 0.75), new("bad", 0.25)]);
        var document = Shown.Document(found);
        Assert.Equal(["good", "0.7500", "", "bad", "0.2500", ""], document.Descendants("td").Select(cell => cell.Value));
        Assert.Equal(["width:75%", "width:25%"], document.Descendants("i").Select(bar => (string?)bar.Attribute("style")));
        Assert.Equal("good 0.7500  a film", Shown.Text(found));
        Assert.Equal("good 0.7500  a film\ngood 0.7500  a film", Shown.Text(new[] { found, found }));
        Assert.Equal(2, Shown.Document(new List<Classification> { found, found }).Descendants("i").Count());
        // a number that is no share has no bar
        Assert.Empty(Shown.Document(new Classification("", [new("points", 7.5)])).Descendants("i"));
        Assert.Contains("980 more", Shown.Document(new Classification("", [.. Enumerable.Range(0, 1000)
            .Select(label => new LabelScore($"{label}", 0.001))])).Value, StringComparison.Ordinal);
    }

    [Fact]
    public void Answers_and_masks_show_their_probabilities()
    {
        var choice = new AnswerChoice("Is it?", [new(" yes", -1, 2, true), new(" no", -1 - Math.Log(3), 1, false)]);
        Assert.Equal([" yes", "0.7500", "", "-1", "2", " no", "0.2500", "", "-2.099", "1"],
            Shown.Document(choice).Descendants("td").Select(cell => cell.Value));
        var mask = new MaskPrediction("a [MASK]", 0, [new("cat", 0.5, "a cat")]);
        Assert.Equal(["cat", "0.5000", "", "a cat"], Shown.Document(mask).Descendants("td").Select(cell => cell.Value));
        Assert.Equal("0.5000 cat: a cat\n\n0.5000 cat: a cat", Shown.Text(new[] { mask, mask }));
    }

    [Fact]
    public void An_evaluation_is_a_table_with_standard_errors()
    {
        var result = new TaskResult("reviews", 1200, 4, [new("acc", 0.75, 0.0125, "share", true),
            new("bits_per_byte", 1.5, null, "bits per byte", false)]);
        var document = Shown.Document(new EvaluationResult([result]));
        Assert.Equal(["reviews", "1,200", "4", "acc", "0.75", "± 0.0125", "share", "higher"],
            document.Descendants("tr").ElementAt(1).Elements("td").Select(cell => cell.Value));
        Assert.Equal(["–", "bits per byte", "lower"], document.Descendants("tr").Last().Elements("td").TakeLast(3)
            .Select(cell => cell.Value));
        Assert.Equal(new EvaluationResult([result]).ToString(), Shown.Text(result));
        Assert.Contains("bits per byte", Shown.Text(new TextScore(-8, 2, 8, 2)), StringComparison.Ordinal);
        Assert.Contains("Haus", Shown.Document(new[] { new TransformedText("house", "Haus") }).Value, StringComparison.Ordinal);
        Assert.Contains("hello", Shown.Document(new[] { new Transcription("hello", 1.5, null) }).Value, StringComparison.Ordinal);
    }

    [Fact]
    public void Texts_of_models_and_data_are_text()
    {
        const string Text = Hostile.Text;
        foreach (var value in new object[]
        {
            new Classification(Text, [new(Text, 0.5)]), new[] { new Classification(Text, [new(Text, 0.5)]) },
            new MaskPrediction(Text, 0, [new(Text, 0.5, Text)]), new[] { new MaskPrediction(Text, 0, [new(Text, 0.5, Text)]) },
            new AnswerChoice(Text, [new(Text, -1, 1, true)]), new TransformedText(Text, Text),
                new[] { new TransformedText(Text, Text) },
            new[] { new Transcription(Text, 1, null) }, new TaskResult(Text, 1, 0, [new(Text, 1, null, Text, true)]),
            new EvaluationResult([new TaskResult(Text, 1, 0, [new(Text, 1, null, Text, true)])]),
        })
            Hostile.AssertHarmless(value);
    }

    [Fact]
    public void A_text_is_shown_while_it_grows()
    {
        var shown = new List<string>();
        Formatters.Install(first =>
        {
            shown.Add(Shown.Document(first).Value);
            return next => shown.Add(Shown.Document(next).Value);
        });
        Assert.Equal("one <b>two</b>", new[] { "one ", "<b>two</b>" }.Watch());
        Assert.Equal("", shown[0]);
        Assert.Equal("one <b>two</b>", shown[^1]);

        using var cancelling = new CancellationTokenSource();
        IEnumerable<string> Parts()
        {
            yield return "kept";
            cancelling.Cancel();
            yield return " lost";
        }
        Assert.Throws<OperationCanceledException>(() => Parts().Watch(cancelling.Token));
        Assert.Equal("kept", shown[^1]);
    }
}
