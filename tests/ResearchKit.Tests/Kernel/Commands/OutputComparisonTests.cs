using System.Text.Json.Nodes;
using ResearchKit.Kernel.Commands.Verifying;
using ResearchKit.Kernel.Notebooks;

namespace ResearchKit.Tests.Kernel.Commands;

/// <summary>What counts as the same output, and what does not.</summary>
public sealed class OutputComparisonTests
{
    [Theory]
    [InlineData("started 2026-11-24 00:52:38Z", "started 2027-01-02 10:00:01Z")]
    [InlineData("on 24 November 2026 at 1:49", "on 3 January 2027 at 12:01")]
    [InlineData("2026-11-24T00:52:33.523924Z", "2026-11-25T01:02:03.1Z")]
    [InlineData("took 1.25 s (3 min)", "took 12 s (1 min)")]
    [InlineData("done in 1:49", "done in 0:59")]
    [InlineData("12,023 tokens/s · 1:20 left", "9,871 tokens/s · 0:01 left")]
    [InlineData("9 tokens/s · done in 1:02", "8 tokens/s · 41 % of the matrix-product rate · peak 1.24 GB · done in 1:01")]
    [InlineData("9 tokens/s  peak 980 MB  0:01 left", "8 tokens/s  0:02 left")]
    [InlineData("9.5 tokens per second", "1,200 tokens per second")]
    [InlineData("tokens per second  12,023", "tokens per second  871.5")]
    [InlineData("3.2 ms/step", "11 ms/step")]
    [InlineData("id 3f2504e0-4f89-11d3-9a0c-0305e82c3301", "id 9b2504e0-4f89-11d3-9a0c-0305e82c3302")]
    [InlineData("commit daae6a9c4d1edcd72917c2122697a431457f560e", "commit 0123456789abcdef0123456789abcdef01234567")]
    [InlineData("object at 0x7f3a", "object at 0x11")]
    [InlineData("display_id: 17", "display_id: 4")]
    [InlineData("wrote /tmp/abc-1/x.txt", "wrote /tmp/def/y.txt")]
    [InlineData("/home/ann/kit/notebooks/a.txt", "/srv/build/7/a.txt")]
    [InlineData("  processor              AMD EPYC", "  processor              Intel Xeon @ 2.20GHz")]
    [InlineData("machine: ann-laptop", "machine: runner-7")]
    [InlineData(".NET 10.0.12", ".NET 10.0.7")]
    [InlineData("loss 4.411 █▅▄▄▃ 1.567", "loss 4.411 █▆▅▄▃ 1.567")]
    [InlineData("loss 1.645", "loss 1.646")]
    [InlineData("loss 0.000", "loss 0.001")]
    [InlineData("3,558,174 letters", "3,558,175 letters")]
    [InlineData("a    1", "a  1")]
    [InlineData("4e-3", "4.001e-3")]
    public void Timings_machine_details_and_differences_within_the_tolerance_count_as_equal(string committed, string now) =>
        Assert.Equal(0, TextComparison.Of(committed, now, Tolerance.Default).Differing);

    [Theory]
    [InlineData("loss 1.645", "loss 1.649")]
    [InlineData("12 letters", "13 letters")]
    [InlineData("a peak 1.24 GBP high", "a peak 1.84 GBP high")]
    [InlineData("-1.5", "1.5")]
    [InlineData("−1.5", "1.5")]
    [InlineData("accuracy 0.91", "accuracy NaN")]
    [InlineData("h1", "h2")]
    [InlineData("1 2", "1 2 3")]
    [InlineData("one", "one\ntwo")]
    [InlineData("shape [81 × 128]", "shape [81 × 64]")]
    [InlineData("12345678", "12345679999")]
    [InlineData("/tmp/a gives 5", "/tmp/b gives 6")]
    [InlineData("5 samples", "6 samples")]
    public void Any_other_difference_is_reported(string committed, string now) =>
        Assert.Equal(1, TextComparison.Of(committed, now, Tolerance.Default).Differing);

    [Fact]
    public void The_largest_relative_difference_is_found_even_within_the_tolerance()
    {
        var comparison = TextComparison.Of("100.01 5.0\n2.0001", "100.02 5.0\n2.0002", Tolerance.Default);
        Assert.Equal(0, comparison.Differing);
        Assert.Equal(("100.01", "100.02"), (comparison.Largest!.Committed.Text, comparison.Largest.Now.Text));
    }

    [Fact]
    public void Only_the_first_lines_that_differ_are_shown()
    {
        var comparison = TextComparison.Of("a\nb\nc\nd\ne", "a\nB\nC\nD\nE", Tolerance.Default);
        Assert.Equal((4, 3), (comparison.Differing, comparison.Lines.Count));
        Assert.Equal((2, "b", "B"), (comparison.Lines[0].Number, comparison.Lines[0].Committed, comparison.Lines[0].Now));
    }

    [Fact]
    public void HTML_is_compared_by_its_text_and_images_by_type_and_approximate_size()
    {
        var page = "<div class=\"x1\"><style>a{}</style><b "
            + "title=\"0.5\">loss</b><span>1.5</span><svg>{0}</svg><script>{0}</script><img "
            + "src=\"data:image/png;base64,{0}\"></div>";
        string Of(int size, string id = "x1") =>
            page.Replace("{0}", new string('A', size), StringComparison.Ordinal).Replace("x1", id, StringComparison.Ordinal);
        Assert.Empty(Compared(Shown("text/html", Of(5000)), Shown("text/html", Of(7000, "y2"))));
        Assert.Equal(3, Compared(Shown("text/html", Of(5000)), Shown("text/html", Of(20000))).Count);
        Assert.Contains(Compared(Shown("text/html", Of(5)), Shown("text/html", "<div>loss 1.5</div>")), line =>
            line.Contains("image/png", StringComparison.Ordinal));
        Assert.NotEmpty(Compared(Shown("text/html", "<p>loss</p>"), Shown("text/html", "<p>gain</p>")));
        Assert.Empty(Compared(Shown("application/vnd.plotly.v1+json", "[1,2]"), Shown("application/vnd.plotly.v1+json", "[3]")));
        Assert.NotEmpty(Compared(Shown("image/png", "A"), Shown("image/jpeg", "A")));
    }

    [Fact]
    public void Streams_are_equal_however_they_are_split_into_outputs()
    {
        var (one, two) = (Stream("stdout", "a\nb\n"),
            new[] { Stream("stdout", "a\n"), Stream("stderr", "warned"), Stream("stdout", "b\n") });
        Assert.Empty(Compared([one, Stream("stderr", "warned")], two));
        Assert.NotEmpty(Compared([one], two));
    }

    private static JsonObject Stream(string name, string text) =>
        new() { ["output_type"] = "stream", ["name"] = name, ["text"] = text };

    private static JsonObject[] Shown(string mime, string text) =>
        [new JsonObject { ["output_type"] = "display_data", ["metadata"] = new JsonObject(),
            ["data"] = new JsonObject { [mime] = text } }];

    private static IReadOnlyList<string> Compared(JsonObject[] committed, JsonObject[] now) =>
        CellComparison.Of(Cell(committed), Cell(now), Tolerance.Default).Differences;

    private static NotebookCell Cell(JsonObject[] outputs) =>
        NotebookDocument.Parse(TestNotebook.Of(TestNotebook.WithOutputs("1",
            [.. outputs.Select(output => (JsonObject)output.DeepClone())])), "test").Cells[0];
}
