using System.Text.Json;
using System.Text.Unicode;
using ResearchKit.Layers;

namespace ResearchKit.Checkpoints;

/// <summary>A published model's <c>config.json</c>: fields by name, each with the value that stands for an absent one.</summary>
internal sealed class ConfigFile
{
    private const long LongestConfig = 10_000_000;   // bytes; label names can be many
    private readonly Dictionary<string, JsonElement> fields;
    private readonly string path;

    private ConfigFile(string path, Dictionary<string, JsonElement> fields)
    {
        this.path = path;
        this.fields = fields;
    }

    /// <summary>Reads the config of a folder.</summary>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    /// <exception cref="InvalidDataException">It is not a JSON object.</exception>
    public static ConfigFile Read(string folder)
    {
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"There is no folder {folder}; expected one with {CheckpointFolder.Config}.");
        var path = Path.Combine(folder, CheckpointFolder.Config);
        if (!File.Exists(path))
            throw new FileNotFoundException($"There is no file {path}; expected the model's configuration.", path);
        if (new FileInfo(path).Length > LongestConfig)
            throw new InvalidDataException($"{path} is not a configuration: it has {new FileInfo(path).Length} bytes.");
        try
        {
            var bytes = File.ReadAllBytes(path);
            if (!Utf8.IsValid(bytes)) throw new InvalidDataException($"{path} is not a configuration: it is not UTF-8.");
            using var json = JsonDocument.Parse(bytes, new JsonDocumentOptions { AllowDuplicateProperties = false });
            return json.RootElement.ValueKind == JsonValueKind.Object
                ? new ConfigFile(path, json.RootElement.EnumerateObject()
                    .ToDictionary(field => field.Name, field => field.Value.Clone()))
                : throw new InvalidDataException($"{path} is not a configuration: it is no JSON object.");
        }
        // the latter: names with half a surrogate pair
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"{path} is not a configuration: {error.Message}", error);
        }
    }

    /// <summary>False for a field that is absent or null.</summary>
    public bool Has(string name) => fields.TryGetValue(name, out var value) && value.ValueKind != JsonValueKind.Null;

    /// <summary>A whole number of at least 1.</summary>
    public int Size(string name, int absent) => SizeOrNull(name) ?? absent;

    /// <summary>A whole number of at least 1; null where the field is absent or null.</summary>
    public int? SizeOrNull(string name) => !Has(name) ? null
        : fields[name].ValueKind == JsonValueKind.Number && fields[name].TryGetInt32(out var number) && number >= 1 ? number
        : throw Bad(name, "a whole number of at least 1");

    /// <summary>Whole numbers of at least 1; null where the field is absent or null.</summary>
    public IReadOnlyList<int>? SizesOrNull(string name) => ListOrNull<int>(name, "a list of whole numbers of at least 1",
        item => item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out var number) && number >= 1 ? number : null);

    /// <summary>A list of true and false; null where the field is absent or null.</summary>
    public IReadOnlyList<bool>? FlagsOrNull(string name) => ListOrNull<bool>(name, "a list of true and false",
        item => item.ValueKind is JsonValueKind.True or JsonValueKind.False ? item.GetBoolean() : null);

    /// <summary>A token, or a negative number that counts from the end of the vocabulary; null where the field is null.</summary>
    public int? Token(string name, int? absent) => !fields.TryGetValue(name, out var value) ? absent
        : value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var token) ? token
        : throw Bad(name, "a token's number or null");

    /// <summary>A number.</summary>
    public double Number(string name, double absent) => !Has(name) ? absent
        : fields[name].ValueKind == JsonValueKind.Number && fields[name].TryGetDouble(out var number) && double.IsFinite(number)
        ? number
        : throw Bad(name, "a number");

    /// <summary>A number without which nothing can be guessed.</summary>
    public double Number(string name) => Has(name) ? Number(name, 0) : throw Bad(name, "a number");

    /// <summary>True or false.</summary>
    public bool Flag(string name, bool absent) => !Has(name) ? absent
        : fields[name].ValueKind is JsonValueKind.True or JsonValueKind.False ? fields[name].GetBoolean()
        : throw Bad(name, "true or false");

    /// <summary>A text.</summary>
    public string Text(string name, string absent) => !Has(name) ? absent
        : fields[name].ValueKind == JsonValueKind.String ? Whole(name, value => value.GetString()!)
        : throw Bad(name, "a text");

    /// <summary>A non-linearity, by its name in transformers.</summary>
    public Activation Activation(string name, string absent) =>
        ActivationNames.Parse(Text(name, absent)) ?? throw Bad(name, $"one of {ActivationNames.Known}");

    /// <summary>Number of entries of an object, such as <c>id2label</c>.</summary>
    public int Count(string name, int absent) => !Has(name) ? absent
        : fields[name].ValueKind == JsonValueKind.Object ? fields[name].EnumerateObject().Count()
        : throw Bad(name, "an object");

    /// <summary>Number of labels: the length of <c>id2label</c>, or else <c>num_labels</c>, or else two.</summary>
    public int Labels() => Count("id2label", Size("num_labels", 2));

    /// <summary>The fields of an object; null where the field is absent or null.</summary>
    public ConfigFile? Part(string name) => !Has(name) ? null
        : fields[name].ValueKind == JsonValueKind.Object
            ? new ConfigFile($"{path}: {name}",
                Whole(name, value => value.EnumerateObject().ToDictionary(field => field.Name, field => field.Value)))
        : throw Bad(name, "an object");

    /// <summary>Refuses a text other than the only one that the kit's model knows.</summary>
    public void Expect(string name, string value)
    {
        if (Text(name, value) != value) throw Bad(name, $"\"{value}\", the only value that the kit's model knows");
    }

    /// <summary>Refuses a flag of the architecture that the kit's model does not have.</summary>
    public void Expect(string name, bool value)
    {
        if (Flag(name, value) != value) throw Bad(name,
            value ? "true, the only value that the kit's model knows" : "false, the only value that the kit's model knows");
    }

    /// <summary>Refuses another architecture; an absent <c>model_type</c> says nothing.</summary>
    public void ExpectType(string type)
    {
        if (Text("model_type", type) != type) throw Bad("model_type", $"'{type}'");
    }

    /// <summary>The fields and, before them, the arguments of a constructor call that one of them holds.</summary>
    /// <param name="name">The field: <c>resnet18(num_classes=10)</c>, or the name alone.</param>
    /// <param name="parameters">The constructor's parameters in order.</param>
    public (string Name, ConfigFile Arguments) Call(string name, params string[] parameters)
    {
        if (!Has(name)) throw new InvalidDataException($"{path} has no {name}; expected a constructor and its arguments.");
        if (ConstructorCall.Parse(Text(name, ""), parameters) is not { } call)
            throw Bad(name, $"a constructor's name, and its arguments if any: {string.Join(", ", parameters)}");
        var merged = new Dictionary<string, JsonElement>(fields);
        foreach (var (argument, value) in call.Arguments) merged[argument] = value;
        return (call.Name, new ConfigFile(path, merged));
    }

    /// <summary>What is wrong with a field.</summary>
    public InvalidDataException Bad(string name, string expected)
    {
        var text = fields.TryGetValue(name, out var value) ? value.GetRawText() : "absent";
        return new($"{path}: {name} is {(text.Length > 60 ? text[..60] + "…" : text)}; expected {expected}.");
    }

    /// <summary>Reads texts, of which an escape may be half a surrogate pair.</summary>
    private T Whole<T>(string name, Func<JsonElement, T> read)
    {
        try
        {
            return read(fields[name]);
        }
        catch (InvalidOperationException)
        {
            throw Bad(name, "texts of whole characters");
        }
    }

    private List<T>? ListOrNull<T>(string name, string expected, Func<JsonElement, T?> read) where T : struct
    {
        if (!Has(name)) return null;
        if (fields[name].ValueKind != JsonValueKind.Array) throw Bad(name, expected);
        return [.. fields[name].EnumerateArray().Select(item => read(item) ?? throw Bad(name, expected))];
    }
}
