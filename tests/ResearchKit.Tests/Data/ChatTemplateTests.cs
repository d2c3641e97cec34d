using System.Text.Json;
using ResearchKit.Data;

namespace ResearchKit.Tests.Data;

/// <summary>Chat templates, against the texts that Jinja gives with transformers' settings.</summary>
public sealed class ChatTemplateTests : IDisposable
{
    private static readonly DateTime Now = new(2026, 3, 9, 14, 5, 7);
    private static readonly ChatMessage[] Hello = [new("user", "hello")];

    private readonly string folder = Directory.CreateTempSubdirectory("chat-").FullName;

    [Fact]
    public void Every_template_writes_what_Jinja_writes()
    {
        var path = Repository.PathTo("tests", "ResearchKit.Tests", "Golden", "models", "chat-templates", "expected.json");
        var cases = JsonDocument.Parse(File.ReadAllText(path)).RootElement.GetProperty("cases").EnumerateArray().ToList();
        Assert.True(cases.Count > 100);
        foreach (var example in cases)
        {
            var values = example.GetProperty("values").EnumerateObject()
                .ToDictionary(value => value.Name, value => (object?)value.Value);
            values["now"] = Now;
            string Render() => ChatTemplate.Parse(example.GetProperty("template").GetString()!)
                .Render(example.GetProperty("messages"), example.GetProperty("prompt").GetBoolean(), values);
            if (example.TryGetProperty("error", out _)) Assert.Throws<ChatTemplateException>(Render);
            else Assert.Equal((example.GetProperty("name").GetString(), example.GetProperty("text").GetString()),
                (example.GetProperty("name").GetString(), Render()));
        }
    }

    [Fact]
    public void What_a_template_raises_is_the_message() => Assert.Equal("No user here", Assert.Throws<ChatTemplateException>(() =>
        ChatTemplate.Parse("{{ raise_exception('No ' ~ messages[0].role ~ ' here') }}").Render(Hello)).Message);

    [Theory]
    [InlineData("{{ 1 }}\n\n{% include 'x' %}", "line 3", "'include'")]
    [InlineData("a\n{{ x | shout }}", "line 2", "'shout'")]
    [InlineData("{{ x is tall }}", "line 1", "'tall'")]
    [InlineData("{% if x %}", "line 1", "endif")]
    [InlineData("{% for x %}{% endfor %}", "line 1", "'in'")]
    [InlineData("{{ (1 }}", "line 1", "'}}'")]
    [InlineData("{{ [1 2] }}", "line 1", "','")]
    [InlineData("{{ 'a }}", "line 1", "string")]
    [InlineData("{{ 1", "line 1", "}}")]
    [InlineData("{% endif %}", "line 1", "'endif'")]
    [InlineData("{{ 1 ? 2 }}", "line 1", "'?'")]
    public void A_malformed_template_is_named_with_its_line(string source, string line, string said)
    {
        var error = Assert.Throws<InvalidDataException>(() => ChatTemplate.Parse(source, "my template"));
        Assert.Contains("my template", error.Message, StringComparison.Ordinal);
        Assert.Contains(line, error.Message, StringComparison.Ordinal);
        Assert.Contains(said, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "deep")]
    [InlineData("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "steps")]
    [InlineData("{{ range(9999999999) }}", "range")]
    [InlineData("{{ 'a' * 99999999 }}", "repeats")]
    [InlineData("{% set ns = namespace(x='aaaaaaaaaa') %}{% for a in range(99) %}{% set ns.x = ns.x ~ ns.x %}{{ ns.x }}{% endfor %}", "characters")]
    public void A_template_without_an_end_is_stopped(string source, string said) =>
        Assert.Contains(said, Assert.Throws<ChatTemplateException>(() => ChatTemplate.Parse(source).Render(Hello)).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Deeply_nested_templates_are_refused_and_not_followed()
    {
        Assert.Throws<InvalidDataException>(() => ChatTemplate.Parse("{{ " + new string('(', 100_000)));
        Assert.Throws<InvalidDataException>(() => ChatTemplate.Parse("{{ " + string.Concat(Enumerable.Repeat("not ", 100_000))
            + "x }}"));
        Assert.Throws<InvalidDataException>(() => ChatTemplate.Parse("{{ " + new string('-', 100_000) + "1 }}"));
        Assert.Throws<InvalidDataException>(() => ChatTemplate.Parse(string.Concat(Enumerable.Repeat("{% if x %}", 100_000))));
        foreach (var part in new[] { " + 1", " | trim", ".x", "[0]", " or 1", " ~ 1", " * 2", " if 1 else 2", " is defined" })
        {
            var source = "{{ x" + string.Concat(Enumerable.Repeat(part, 100_000)) + " }}";
            if (part == " ~ 1") Assert.Equal(100_000, ChatTemplate.Parse(source).Render(Hello).Length);
            else Assert.Throws<InvalidDataException>(() => ChatTemplate.Parse(source));
        }
    }

    [Fact]
    public void Objects_of_NET_do_not_get_in() =>
        Assert.Contains("FileInfo", Assert.Throws<ArgumentException>(() => ChatTemplate.Parse("{{ file.FullName }}")
            .Render(Hello, values: new Dictionary<string, object?> { ["file"] = new FileInfo("x") }))
                .Message, StringComparison.Ordinal);

    [Fact]
    public void A_folders_template_is_found_in_each_of_its_places()
    {
        Assert.Contains("chat_template.jinja", Assert.Throws<FileNotFoundException>(() => ChatTemplate.Read(folder)).Message,
            StringComparison.Ordinal);
        Write("chat_template.json", """{ "chat_template": "json {{ messages[0].content }}" }""");
        Assert.Equal("json hello", ChatTemplate.Read(folder).Render(Hello));
        Write("tokenizer_config.json", """
            { "bos_token": { "content": "<s>" }, "chat_template": [
                { "name": "default", "template": "{{ bos_token }}list {{ messages[0].content }}" },
                    { "name": "rag", "template": "rag" } ] }
            """);
        Assert.Equal("<s>list hello", ChatTemplate.Read(folder).Render(Hello));
        Assert.Equal("rag", ChatTemplate.Read(folder, "rag").Render(Hello));
        Assert.Contains("default, rag", Assert.Throws<KeyNotFoundException>(() => ChatTemplate.Read(folder, "tools")).Message,
            StringComparison.Ordinal);
        Write("chat_template.jinja", "{{ bos_token }}file {{ messages[0].content }}\n");
        Assert.Equal("<s>file hello", ChatTemplate.Read(folder).Render(Hello));
    }

    [Fact]
    public void A_chat_is_encoded_with_its_special_tokens()
    {
        var trained = BpeTrainer.Train(["hello user hello"], 270);
        Write("tokenizer.json", JsonSerializer.Serialize(new
        {
            added_tokens = new[] { new { id = 300, content = "<|user|>", special = true },
                new { id = 301, content = "<|end|>", special = true } },
            pre_tokenizer = new { type = "ByteLevel", add_prefix_space = false },
            decoder = new { type = "ByteLevel" },
            model = new
            {
                type = "BPE",
                vocab = trained.Vocabulary,
                merges = trained.Merges.Select(merge => new[] { merge.Left, merge.Right })
            },
        }));
        Assert.Contains("ChatTemplate.Read", Assert.Throws<InvalidOperationException>(() =>
            ((PretrainedTokenizer)PretrainedTokenizers.FromFolder(folder)).ApplyChat(Hello)).Message, StringComparison.Ordinal);
        Write("chat_template.jinja",
            "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}{% if add_generation_prompt %}<|user|>{% endif %}");
        var tokenizer = (PretrainedTokenizer)PretrainedTokenizers.FromFolder(folder);
        Assert.Equal([300, .. trained.Encode("hello"), 301], tokenizer.ApplyChat(Hello));
        Assert.Equal([300, .. trained.Encode("hello"), 301, 300], tokenizer.ApplyChat(Hello, addGenerationPrompt: true));
        Assert.Equal("hello", tokenizer.Decode(tokenizer.ApplyChat(Hello), skipSpecial: true));
    }

    [Fact]
    public void A_message_carries_what_else_the_template_reads()
    {
        var message = new ChatMessage("assistant", "")
        {
            Other = new Dictionary<string, object?>
            {
                ["tool_calls"] = new[] { new Dictionary<string,
                    object?> { ["name"] = "add", ["arguments"] = JsonDocument.Parse("[1, 2.5]").RootElement } },
                ["count"] = 3,
            },
        };
        Assert.Equal("add [1, 2.5] 4", ChatTemplate.Parse(
            "{{ messages[0].tool_calls[0].name }} {{ messages[0].tool_calls[0].arguments | tojson }} {{ messages[0].count + 1 }}")
                .Render([message]));
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private void Write(string file, string text) => File.WriteAllText(Path.Combine(folder, file), text);
}
