using System.Text.Json;
using System.Text.Unicode;
using ResearchKit.Layers;

namespace ResearchKit.Checkpoints;

/// <summary>
/// The <c>config.json</c> of a published model. Most getters take a default for an absent field.
/// </summary>
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

    /// <summary>Path of the file, for error messages.</summary>
    public string Path => path;

    /// <summary>Reads the <c>config.json</c> of a folder, or another file of JSON.</summary>
    /// <exception cref="FileNotFoundException">The folder has no such file.</exception>
    /// <exception cref="InvalidDataException">The file is not a JSON object.</exception>
    /// <param name="folder">The folder.</param>
    /// <param name="name">Name of the file.</param>
    /// <param name="example">A configuration that would do, for the error message; null for none.</param>
    public static ConfigFile Read(string folder, string name = CheckpointFolder.Config, string? example = null)
    {
        if (!Directory.Exists(folder)) throw new DirectoryNotFoundException(
            $"There is no folder {folder}; expected one with {name}.");
        var path = System.IO.Path.Combine(folder, name);
        if (!File.Exists(path))
            throw new FileNotFoundException($"There is no file {path}; expected the model's configuration"
                + (example is null ? "." : $", such as {example}."), path);
        if (new FileInfo(path).Length > LongestConfig)
            throw new InvalidDataException($"{path} is not a configuration: it has {new FileInfo(path).Length} bytes; "
                + $"expected at most {LongestConfig}.");
        try
        {
            var bytes = File.ReadAllBytes(path);
            if (OtherContent.Of(bytes.AsSpan(0, Math.Min(bytes.Length, 512)), bytes.Length) is { } other)
                throw new InvalidDataException($"{path} {other}");
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

    /// <summary>Returns whether a field is present and not null.</summary>
    public bool Has(string name) => fields.TryGetValue(name, out var value) && value.ValueKind != JsonValueKind.Null;

    /// <summary>Returns a field as it is; null if it is absent.</summary>
    public JsonElement? Element(string name) => fields.TryGetValue(name, out var value) ? value : null;

    /// <summary>Returns an integer of at least 1.</summary>
    public int Size(string name, int absent) => SizeOrNull(name) ?? absent;

    /// <summary>Returns an integer of at least 1; null if the field is absent or null.</summary>
    public int? SizeOrNull(string name) => !Has(name) ? null
        : fields[name].ValueKind == JsonValueKind.Number && fields[name].TryGetInt32(out var number) && number >= 1 ? number
        : throw Bad(name, "a whole number of at least 1");

    /// <summary>Returns a number of classes; 0 for a network without a head.</summary>
    public int Classes(string name, int absent) => Has(name) && fields[name].ValueKind == JsonValueKind.Number
        && fields[name].TryGetInt32(out var number) && number == 0 ? 0 : Size(name, absent);

    /// <summary>Returns a list of integers of at least 1; null if the field is absent or null.</summary>
    public IReadOnlyList<int>? SizesOrNull(string name) => ListOrNull<int>(name, "a list of whole numbers of at least 1",
        item => item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out var number) && number >= 1 ? number : null);

    /// <summary>Returns a list of booleans; null if the field is absent or null.</summary>
    public IReadOnlyList<bool>? FlagsOrNull(string name) => ListOrNull<bool>(name, "a list of true and false",
        item => item.ValueKind is JsonValueKind.True or JsonValueKind.False ? item.GetBoolean() : null);

    /// <summary>
    /// Returns a token id, where a negative number counts from the end of the vocabulary; null if the field is
    /// null.
    /// </summary>
    public int? Token(string name, int? absent) => !fields.TryGetValue(name, out var value) ? absent
        : value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var token) ? token
        : throw Bad(name, "a token's number or null");

    /// <summary>Returns an integer of at least 0; null if the field is absent or null.</summary>
    public int? SizeOrZero(string name) => !Has(name) ? null
        : fields[name].ValueKind == JsonValueKind.Number && fields[name].TryGetInt32(out var number) && number >= 0 ? number
        : throw Bad(name, "a whole number of at least 0");

    /// <summary>Returns token ids, of a number or of a list; null if the field is absent or null.</summary>
    public IReadOnlyList<long>? TokensOrNull(string name)
    {
        const string Expected = "a token's number, or a list of them";
        long One(JsonElement item) => item.ValueKind == JsonValueKind.Number && item.TryGetInt64(out var token) && token >= 0
            ? token : throw Bad(name, Expected);
        return !Has(name) ? null : fields[name].ValueKind == JsonValueKind.Array ? [.. fields[name].EnumerateArray().Select(One)]
            : fields[name].ValueKind == JsonValueKind.Number && fields[name].TryGetInt64(out var only) && only < 0 ? null
            : [One(fields[name])];
    }

    /// <summary>Returns strings, of a string or of a list; null if the field is absent or null.</summary>
    public IReadOnlyList<string>? TextsOrNull(string name)
    {
        string One(JsonElement item) => item.ValueKind == JsonValueKind.String ? item.GetString()!
            : throw Bad(name, "a string, or a list of them");
        return !Has(name) ? null : Whole<IReadOnlyList<string>>(name, value => value.ValueKind == JsonValueKind.Array
            ? [.. value.EnumerateArray().Select(One)] : [One(value)]);
    }

    /// <summary>Returns a finite number.</summary>
    public double Number(string name, double absent) => !Has(name) ? absent
        : fields[name].ValueKind == JsonValueKind.Number && fields[name].TryGetDouble(out var number) && double.IsFinite(number)
        ? number
        : throw Bad(name, "a number");

    /// <summary>Returns a finite number of a required field.</summary>
    public double Number(string name) => Has(name) ? Number(name, 0) : throw Bad(name, "a number");

    /// <summary>Returns a boolean.</summary>
    public bool Flag(string name, bool absent) => !Has(name) ? absent
        : fields[name].ValueKind is JsonValueKind.True or JsonValueKind.False ? fields[name].GetBoolean()
        : throw Bad(name, "true or false");

    /// <summary>Returns a string.</summary>
    public string Text(string name, string absent) => !Has(name) ? absent
        : fields[name].ValueKind == JsonValueKind.String ? Whole(name, value => value.GetString()!)
        : throw Bad(name, "a string");

    /// <summary>Returns the activation function that a field names, by its name in transformers.</summary>
    public Activation Activation(string name, string absent) =>
        ActivationNames.Parse(Text(name, absent)) ?? throw Bad(name, $"one of {ActivationNames.Known}");

    /// <summary>Returns the number of entries of an object, such as <c>id2label</c>.</summary>
    public int Count(string name, int absent) => !Has(name) ? absent
        : fields[name].ValueKind == JsonValueKind.Object ? fields[name].EnumerateObject().Count()
        : throw Bad(name, "an object");

    /// <summary>
    /// Returns the number of labels: the length of <c>id2label</c>, else <c>num_labels</c>, else two.
    /// </summary>
    public int Labels() => Count("id2label", Size("num_labels", 2));

    /// <summary>Returns the names of labels in <c>id2label</c>; those that are missing are called as in transformers.</summary>
    /// <param name="count">Number of labels.</param>
    public IReadOnlyList<string> LabelNames(int count)
    {
        var names = Enumerable.Range(0, count).Select(label => $"LABEL_{label}").ToArray();
        if (!Has("id2label") || fields["id2label"].ValueKind != JsonValueKind.Object) return names;
        foreach (var label in fields["id2label"].EnumerateObject())
            if (int.TryParse(label.Name, out var number) && number >= 0 && number < count
                && label.Value.ValueKind == JsonValueKind.String)
                names[number] = Whole("id2label", _ => label.Value.GetString()!);
        return names;
    }

    /// <summary>Returns finite numbers, of a number or of a list; null if the field is absent or null.</summary>
    public IReadOnlyList<double>? NumbersOrNull(string name)
    {
        double One(JsonElement item) => item.ValueKind == JsonValueKind.Number && item.TryGetDouble(out var number)
            && double.IsFinite(number) ? number : throw Bad(name, "a number, or a list of them");
        return !Has(name) ? null : fields[name].ValueKind == JsonValueKind.Array ? [.. fields[name].EnumerateArray().Select(One)]
            : [One(fields[name])];
    }

    /// <summary>Returns a nested object; null if the field is absent or null.</summary>
    public ConfigFile? Part(string name) => !Has(name) ? null
        : fields[name].ValueKind == JsonValueKind.Object
            ? new ConfigFile($"{path}: {name}",
                Whole(name, value => value.EnumerateObject().ToDictionary(field => field.Name, field => field.Value)))
        : throw Bad(name, "an object");

    /// <summary>
    /// Throws if a string field has another value than the only one that the kit's model supports.
    /// </summary>
    public void Expect(string name, string value)
    {
        if (Text(name, value) != value) throw Bad(name, $"\"{value}\", the only value that the kit's model supports");
    }

    /// <summary>
    /// Throws if a boolean field has another value than the only one that the kit's model supports.
    /// </summary>
    public void Expect(string name, bool value)
    {
        if (Flag(name, value) != value)
            throw Bad(name, value ? "true, the only value that the kit's model supports" : "false, the only value that the "
                + "kit's model supports");
    }

    /// <summary>Throws if <c>model_type</c> names another architecture; an absent field is accepted.</summary>
    public void ExpectType(string type)
    {
        if (Text("model_type", type) != type) throw Bad("model_type", $"'{type}'");
    }

    /// <summary>
    /// Reads a constructor call from a field and returns its name and arguments. Other fields of the configuration
    /// count as arguments too; those in the call take precedence.
    /// </summary>
    /// <param name="name">
    /// Name of the field, whose value is such as <c>resnet18(num_classes=10)</c>, or the constructor's name alone.
    /// </param>
    /// <param name="parameters">The constructor's parameters in order.</param>
    public (string Name, ConfigFile Arguments) Call(string name, params string[] parameters)
    {
        if (!Has(name))
            throw new InvalidDataException($"{path} has no field '{name}'; expected a constructor and its arguments.");
        if (ConstructorCall.Parse(Text(name, ""), parameters) is not { } call)
            throw Bad(name, $"a constructor's name, and its arguments if any: {string.Join(", ", parameters)}");
        var merged = new Dictionary<string, JsonElement>(fields);
        foreach (var (argument, value) in call.Arguments) merged[argument] = value;
        return (call.Name, new ConfigFile(path, merged));
    }

    /// <summary>Makes the exception for a field with an invalid value.</summary>
    public InvalidDataException Bad(string name, string expected)
    {
        var text = fields.TryGetValue(name, out var value) ? value.GetRawText() : "absent";
        return new($"{path}: {name} is {(text.Length > 60 ? text[..60] + "…" : text)}; expected {expected}.");
    }

    /// <summary>Reads strings; an escape sequence that is half a surrogate pair is reported as an error.</summary>
    private T Whole<T>(string name, Func<JsonElement, T> read)
    {
        try
        {
            return read(fields[name]);
        }
        catch (InvalidOperationException)
        {
            throw Bad(name, "strings without unpaired surrogates");
        }
    }

    private List<T>? ListOrNull<T>(string name, string expected, Func<JsonElement, T?> read) where T : struct
    {
        if (!Has(name)) return null;
        if (fields[name].ValueKind != JsonValueKind.Array) throw Bad(name, expected);
        return [.. fields[name].EnumerateArray().Select(item => read(item) ?? throw Bad(name, expected))];
    }
}
