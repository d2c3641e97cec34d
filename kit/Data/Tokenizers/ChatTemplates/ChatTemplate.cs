using System.Text.Json;

namespace ResearchKit.Data;

/// <summary>Writes a chat as the text on which a model was trained: the Jinja template beside its tokenizer.</summary>
/// <remarks>
/// Gives the texts of transformers' <c>apply_chat_template</c>,
/// https://huggingface.co/docs/transformers/chat_templating. A template comes with a model and is not trusted: it sees only the
/// values that it is given, cannot change them, and is stopped after a number of steps and characters.
/// </remarks>
public sealed class ChatTemplate
{
    private readonly JinjaStatement body;
    private readonly IReadOnlyDictionary<string, string> special;

    private ChatTemplate(string source, string name, IReadOnlyDictionary<string, string> special)
    {
        Source = source;
        body = JinjaParser.Parse(source, name);
        this.special = special;
    }

    /// <summary>The template.</summary>
    public string Source { get; }

    /// <summary>Parses a template.</summary>
    /// <param name="source">The text of the template, in Jinja.</param>
    /// <param name="name">Its name, for error messages.</param>
    /// <param name="special">Special tokens that the template reads, such as <c>bos_token</c>, by name.</param>
    /// <exception cref="InvalidDataException">
    /// The template is malformed or uses what is not supported; the message says which line.
    /// </exception>
    public static ChatTemplate Parse(string source, string name = "the chat template", IReadOnlyDictionary<string,
        string>? special = null) =>
        new(source, name, special ?? new Dictionary<string, string>());

    /// <summary>
    /// Reads the template of a model's folder: <c>chat_template.jinja</c>, or <c>chat_template</c> in
    /// <c>tokenizer_config.json</c> or <c>chat_template.json</c>.
    /// </summary>
    /// <param name="folder">A folder in the layout of transformers.</param>
    /// <param name="name">Which of several templates to take, such as <c>tool_use</c>.</param>
    /// <exception cref="FileNotFoundException">The folder has no template.</exception>
    /// <exception cref="KeyNotFoundException">There is no template of this name; the message lists the names.</exception>
    /// <exception cref="InvalidDataException">A file or the template is malformed.</exception>
    public static ChatTemplate Read(string folder, string name = "default") => Find(folder, name)
        ?? throw new FileNotFoundException($"{folder} has no chat template; expected chat_template.jinja, or 'chat_template' in "
            + "tokenizer_config.json or chat_template.json.");

    /// <summary>Writes a chat.</summary>
    /// <param name="messages">The messages, the oldest first.</param>
    /// <param name="addGenerationPrompt">Whether the beginning of the assistant's next message follows.</param>
    /// <param name="values">
    /// What else the template reads, such as <c>tools</c> or <c>enable_thinking</c>: values as in JSON. <c>now</c>, a
    /// <see cref="DateTime"/>, is the time that templates write; the default is the present.
    /// </param>
    /// <returns>The text, with special tokens written out.</returns>
    /// <exception cref="ChatTemplateException">
    /// The template refuses the messages, or fails; the message says why.
    /// </exception>
    /// <exception cref="ArgumentException">A value is none of the kinds of JSON.</exception>
    public string Render(IEnumerable<ChatMessage> messages, bool addGenerationPrompt = false,
        IReadOnlyDictionary<string, object?>? values = null) =>
            Render(messages.Select(Map).Cast<object?>().ToList(), addGenerationPrompt, values);

    /// <inheritdoc cref="Render(IEnumerable{ChatMessage}, bool, IReadOnlyDictionary{string, object})"/>
    /// <param name="messages">A JSON array of the messages, as transformers takes them.</param>
    /// <param name="addGenerationPrompt">Whether the beginning of the assistant's next message follows.</param>
    /// <param name="values">What else the template reads.</param>
    public string Render(JsonElement messages, bool addGenerationPrompt = false, IReadOnlyDictionary<string,
        object?>? values = null) =>
        Render(messages.ValueKind == JsonValueKind.Array ? JinjaValues.From(messages)
            : throw new ArgumentException($"The messages are {messages.ValueKind}; expected a JSON array.", nameof(messages)),
                addGenerationPrompt, values);

    internal static ChatTemplate? Find(string folder, string name)
    {
        var settings = TokenizerSettings.Read(folder);
        var file = Path.Combine(folder, name == "default" ? "chat_template.jinja"
            : Path.Combine("additional_chat_templates", $"{name}.jinja"));
        if (File.Exists(file)) return new(File.ReadAllText(file), file, settings.Names);
        foreach (var (json, path) in new[]
        {
            (settings.Config, "tokenizer_config.json"),
                (TokenizerSettings.Json(folder, "chat_template.json"), "chat_template.json"),
        })
        {
            if (json.Child("chat_template") is not { } found) continue;
            return new(Chosen(found, name, Path.Combine(folder, path)), Path.Combine(folder, path), settings.Names);
        }
        return null;
    }

    private static string Chosen(JsonElement found, string name, string path)
    {
        if (found.ValueKind == JsonValueKind.String)
            return name == "default" ? found.GetString()!
                : throw new KeyNotFoundException($"{path} has one chat template; it has no '{name}'.");
        if (found.ValueKind != JsonValueKind.Array)
            throw new InvalidDataException($"{path} has a chat template that is {found.ValueKind}; expected text, or a list "
                + "of names and templates.");
        var templates = found.EnumerateArray()
            .ToDictionary(entry => entry.Text("name") ?? "", entry => entry.Text("template") ?? "");
        return templates.TryGetValue(name, out var source) ? source
            : throw new KeyNotFoundException($"{path} has no chat template '{name}'; it has "
                + $"{string.Join(", ", templates.Keys)}.");
    }

    private string Render(object? messages, bool addGenerationPrompt, IReadOnlyDictionary<string, object?>? values)
    {
        var now = values?.GetValueOrDefault("now") as DateTime? ?? DateTime.Now;
        var scope = JinjaGlobals.Scope(now);
        foreach (var (token, content) in special) scope.Set(token, content);
        scope.Set("messages", messages);
        scope.Set("tools", null);
        scope.Set("documents", null);
        scope.Set("add_generation_prompt", addGenerationPrompt);
        foreach (var (key, value) in values ?? new Dictionary<string, object?>())
            if (value is not DateTime) scope.Set(key, JinjaValues.From(value));
        body(scope);
        return scope.Run.Output.ToString();
    }

    private static JinjaMap Map(ChatMessage message)
    {
        var map = new JinjaMap { ["role"] = message.Role, ["content"] = message.Content };
        foreach (var (key, value) in message.Other) map[key] = JinjaValues.From(value);
        return map;
    }
}
