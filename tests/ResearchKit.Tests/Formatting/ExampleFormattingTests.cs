using ResearchKit.Data;
using ResearchKit.Models;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Formatting;

/// <summary>Data sets in memory show what they hold, and configurations show every setting.</summary>
public sealed class ExampleFormattingTests : IDisposable
{
    private readonly TorchSharp.DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void Images_are_shown_in_one_row_for_each_class()
    {
        using var set = new ImageSet(arange(3 * 2 * 2).to(uint8).view(3, 1, 2, 2), tensor([1L, 0, 1]), ["cat", "dog"], White: 11);
        Assert.Equal(["cat", "dog"],
            Shown.Document(set).Descendants("tr").Skip(1).Select(row => row.Elements("td").First().Value));
        var strips = Shown.Document(set).Descendants("img")
            .Select(image => Shown.Decode(Convert.FromBase64String(((string)image.Attribute("src")!).Split(',')[1]))).ToList();
        Assert.Equal([(2, 2, 2), (4, 2, 2)], strips.Select(strip => (strip.Width, strip.Height, strip.ColorType)));
        byte[] dogs = [0, 1, 8, 9, 2, 3, 10, 11];   // the first and the third picture, row by row
        Assert.Equal(dogs.Select(level => (byte)Math.Round(level / 11d * 255)),
            strips[1].Rows.Chunk(13).SelectMany(row => row.Skip(1).Where((_, at) => at % 3 == 0)));
        Assert.Equal("""
            3 pictures [3, 1, 2, 2] of 2 kinds
            class  pictures
            cat           1
            dog           2
            """.ReplaceLineEndings("\n"), Shown.Text(set));
    }

    [Fact]
    public void A_page_of_images_has_bounded_size()
    {
        using var many = new ImageSet(zeros([600, 3, 100, 75], uint8), arange(600, int64),
            [.. Enumerable.Range(0, 590).Select(number => $"{number}")]);
        Assert.InRange(Shown.Page(many).Length, 5_000, 200_000);
        Assert.Contains("576 more classes are not shown", Shown.Text(many), StringComparison.Ordinal);
        using var nameless = new ImageSet(zeros([2, 2, 5, 3], uint8), tensor([7L, 7]), ["a"]);
        Assert.Contains("7, which has no name", Shown.Text(nameless), StringComparison.Ordinal);
        foreach (var size in new long[][] { [0, 1, 8, 8], [1, 1, 0, 8], [1, 0, 8, 8] })
        {
            using var empty = new ImageSet(zeros(size, uint8), zeros(size[0], int64), ["a"]);
            Shown.Document(empty);
        }
    }

    [Fact]
    public void Recordings_show_their_waveforms()
    {
        using var set = new AudioSet([Clip(8_000), Clip(100), Clip(0)], ["one", "two", "three"], [0L, 1, 0], ["en", "es"]);
        var document = Shown.Document(set);
        Assert.Equal(2, document.Descendants("svg").Count());
        Assert.Contains("one", document.Value, StringComparison.Ordinal);
        Assert.Equal(["clip   class  seconds", "one    en           1", "two    es      0.0125", "three  en           0"],
            Shown.Text(set).Split('\n').Skip(1));
        using var silence = new AudioClip(zeros(2, 1_000), 8_000);
        Assert.Contains("samples up to 0", Shown.Page(silence), StringComparison.Ordinal);
        using var broken = new AudioClip(full(1, 1_000, double.NaN), 8_000);
        Assert.DoesNotContain("NaN", Shown.Page(broken), StringComparison.Ordinal);
    }

    [Fact]
    public void Texts_and_their_classes_are_shown_as_rows()
    {
        var texts = new LabelledTexts([.. Enumerable.Range(0, 30).Select(number => $"text {number}"), new string('x', 1_000)],
            [.. Enumerable.Range(0, 31).Select(number => (long)(number % 2))], ["bad", "good"]);
        Assert.Equal(["31 texts: 16 bad, 15 good", "text     class", "text 0   bad", "text 4   bad"],
            Shown.Text(texts).Split('\n').Take(4));
        Assert.EndsWith("showing rows 0, 4, 8 …", Shown.Text(texts), StringComparison.Ordinal);
        var pairs = new TextPairs(["hello"], ["HH AH L OW"]);
        Assert.Equal("1 pair\nsource  target\nhello   HH AH L OW", Shown.Text(pairs));
        var tokens = pairs.Tokens(text =>
            [.. text.Select(letter => (long)letter)], text => [.. Enumerable.Range(0, 30).Select(number => (long)number)], 0);
        Assert.StartsWith("1 pair of tokens\nsource               target\n104 101 108 108 111  0 1 2 3", Shown.Text(tokens),
            StringComparison.Ordinal);
        Assert.EndsWith("23 … 30 in all", Shown.Text(tokens), StringComparison.Ordinal);
        Assert.Equal("2 sequences of tokens\ntokens  class\n5 6         1\n7           0",
            Shown.Text(new LabelledTokens([([5, 6], 1), ([7], 0)], padding: 0)));
    }

    [Fact]
    public void A_table_shows_some_of_its_rows_and_columns()
    {
        var table = CsvTable.Parse("a,b,kind\n1,2.5,x\n,3,y\n", name: "small");
        using var set = TableSet.FromTable(table, "kind");
        Assert.Equal(["class  a    b", "x      1  2.5", "y      –    3"], Shown.Text(set).Split('\n').Skip(1));
        var wide = CsvTable.Parse(string.Join(',', Enumerable.Range(0, 40).Select(column => $"c{column}")) + "\n"
            + string.Join(',', Enumerable.Repeat("1", 40)) + "\n", name: "wide");
        using var all = TableSet.FromTable(wide, "c39");
        Assert.EndsWith("29 more features are not shown", Shown.Text(all), StringComparison.Ordinal);
    }

    [Fact]
    public void Names_and_texts_are_escaped_as_text()
    {
        using var pictures = new ImageSet(zeros([1, 1, 4, 4], uint8), zeros(1, int64), [Hostile.Text]);
        using var sounds = new AudioSet([Clip(10)], [Hostile.Text], [0L], [Hostile.Text]);
        using var table = new TableSet(zeros(1, 1), zeros(1, int64), [Hostile.Text], [Hostile.Text]);
        foreach (var value in new object[] { pictures, sounds, table, new LabelledTexts([Hostile.Text], [0L], [Hostile.Text]),
            new TextPairs([Hostile.Text], [Hostile.Text]) })
            Hostile.AssertHarmless(value);
    }

    [Fact]
    public void Every_configuration_is_shown_as_a_table_of_all_its_settings()
    {
        var shapes = typeof(GptConfig).Assembly.GetExportedTypes()
            .Where(type => type.Name.EndsWith("Config", StringComparison.Ordinal)).ToList();
        Assert.InRange(shapes.Count, 13, 100);
        foreach (var type in shapes)
        {
            var preset = type.GetProperties(System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.Static)
                .First(property => property.PropertyType == type).GetValue(null)!;
            var settings = type.GetProperties(System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.Instance);
            Assert.Equal(settings.Length, Shown.Document(preset).Descendants("th").Count());
            Assert.DoesNotContain("System.", Shown.Text(preset), StringComparison.Ordinal);
        }
        Assert.Contains("[[64], [128], [256, 256], [512, 512], [512, 512]]", Shown.Text(VggConfig.Vgg11),
            StringComparison.Ordinal);
        Assert.Contains("vocabulary size            50,257", Shown.Text(GptConfig.Gpt2), StringComparison.Ordinal);
    }

    private static AudioClip Clip(int length) => new(linspace(-1, 1, length).sin().unsqueeze(0), 8_000);
}
