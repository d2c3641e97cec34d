using ResearchKit.Data;

namespace ResearchKit.Tests.Data;

public sealed class DataSetTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("datasets-").FullName;

    [Fact]
    public void Every_data_set_is_complete_and_has_a_licence_and_a_source()
    {
        Assert.NotEmpty(DataSets.List());
        foreach (var set in DataSets.List())
        {
            set.Verify();
            Assert.NotEmpty(set.Licence);
            Assert.NotEmpty(set.Source);
            Assert.NotEmpty(set.Files);
            Assert.True(File.Exists(Path.Combine(set.Folder, "LICENSE.txt")), $"{set.Name} lacks LICENSE.txt");
        }
    }

    [Fact]
    public void The_novels_can_be_read() =>
        Assert.Contains("Sir Walter Elliot", DataSets.Open("austen").ReadText("persuasion.txt.gz"), StringComparison.Ordinal);

    [Fact]
    public void The_error_for_an_unknown_data_set_or_file_lists_the_available_ones()
    {
        Assert.Contains("austen", Assert.Throws<KeyNotFoundException>(() => DataSets.Open("dickens")).Message,
            StringComparison.Ordinal);
        Assert.Contains("emma.txt.gz",
            Assert.Throws<KeyNotFoundException>(() => DataSets.Open("austen").ReadText("hamlet.txt")).Message,
            StringComparison.Ordinal);
        Assert.Throws<KeyNotFoundException>(() => DataSets.Open("../austen"));
    }

    [Fact]
    public void A_missing_truncated_or_changed_file_is_a_clear_error()
    {
        var set = Make("""{ "name": "poem.txt", "title": "a poem", "bytes": 5, "sha256": "8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4" }""");
        Assert.Contains("poem.txt", Assert.Throws<FileNotFoundException>(() => set.ReadText("poem.txt")).Message,
            StringComparison.Ordinal);

        File.WriteAllText(Path.Combine(set.Folder, "poem.txt"), "hi");
        Assert.Contains("2 bytes", Assert.Throws<InvalidDataException>(() => set.ReadText("poem.txt")).Message,
            StringComparison.Ordinal);

        File.WriteAllText(Path.Combine(set.Folder, "poem.txt"), "hello");
        var message = Assert.Throws<InvalidDataException>(() => set.ReadText("poem.txt")).Message;
        Assert.Contains("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824", message, StringComparison.Ordinal);
        Assert.Contains("8f434346", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{ "name": "../../etc/passwd", "title": "", "bytes": 1, "sha256": "" }""")]
    [InlineData("""{ "name": "a" """)]
    [InlineData("""{ "title": "no name" }""")]
    public void A_malformed_description_is_a_clear_error(string file) =>
        Assert.Contains("dataset.json", Assert.Throws<InvalidDataException>(() => Make(file)).Message, StringComparison.Ordinal);

    public void Dispose() => Directory.Delete(root, recursive: true);

    private DataSet Make(string file)
    {
        var folder = Directory.CreateDirectory(Path.Combine(root, "mine")).FullName;
        File.WriteAllText(Path.Combine(folder, "dataset.json"), $$"""
            { "name": "mine", "title": "mine", "task": "none", "description": "", "licence": "own", "source": "me", "files": [ {{file}} ] }
            """);
        var before = Environment.GetEnvironmentVariable(DataSets.RootVariable);
        Environment.SetEnvironmentVariable(DataSets.RootVariable, root);
        try
        {
            return DataSets.Open("mine");
        }
        finally
        {
            Environment.SetEnvironmentVariable(DataSets.RootVariable, before);
        }
    }
}
