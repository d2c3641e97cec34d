using System.Text.Json;
using NJsonSchema;

namespace ResearchKit.Tests.DevContainer;

public sealed class DevContainerTests
{
    public static TheoryData<string> Configurations =>
        [.. Directory.GetFiles(Repository.PathTo(".devcontainer"), "devcontainer.json", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Repository.Root, path))];

    [Theory]
    [MemberData(nameof(Configurations))]
    public async Task Every_configuration_is_valid(string path)
    {
        var schema = await Schema();
        Assert.Empty(schema.Validate(File.ReadAllText(Repository.PathTo(path))));
    }

    [Theory]
    [InlineData("""{ "name": "no image" }""")]
    [InlineData("""{ "image": "dotnet" }""")]
    [InlineData("""{ "image": "host/dotnet:1", "postCreateComand": "misspelt" }""")]
    [InlineData("""{ "image": "host/dotnet:1", "hostRequirements": { "memory": "8 gigabytes" } }""")]
    [InlineData("""{ "image": "host/dotnet:1", "hostRequirements": { "gpu": "maybe" } }""")]
    public async Task An_invalid_configuration_is_found(string configuration)
    {
        var schema = await Schema();
        Assert.NotEmpty(schema.Validate(configuration));
    }

    [Fact]
    public void There_is_one_configuration_for_the_CPU_and_one_with_an_optional_GPU()
    {
        Assert.False(Requirements(".devcontainer").TryGetProperty("gpu", out _));
        Assert.Equal("optional", Requirements(Path.Combine(".devcontainer", "gpu")).GetProperty("gpu").GetString());
        Assert.True(File.Exists(Repository.PathTo(".devcontainer", "post-create.sh")));
    }

    private static JsonElement Requirements(string folder) =>
        JsonDocument.Parse(File.ReadAllText(Repository.PathTo(folder,
            "devcontainer.json"))).RootElement.GetProperty("hostRequirements");

    private static Task<JsonSchema> Schema() =>
        JsonSchema.FromJsonAsync(File.ReadAllText(Repository.PathTo("tests", "ResearchKit.Tests", "DevContainer",
            "devcontainer.schema.json")));
}
