using System.Diagnostics;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using ResearchKit.Native;

namespace ResearchKit.Training;

/// <summary>The only reader and writer of <c>run.json</c>. Neither uses TorchSharp.</summary>
/// <remarks>
/// <para>
/// Several writers share a record: the process that hosts the run (the kernel, or a program with the kit), the kit in it, and
/// child processes that got <see cref="RunRecord.FolderVariable"/>. Each changes its own part only. The host owns the file: it
/// makes it, and writes what describes the notebook and the process. A run of the host adds what it knows of the process, and its
/// entry in the list. A run of another process adds its entry, with a description of that process. Of several ranks only rank 0
/// writes.
/// </para>
/// <para>
/// To change its part, a writer locks the folder, reads the file, and replaces it in one step. So no writer loses the part of
/// another, and a reader never sees half a file. A file that something else damaged is kept under another name, and a note in the
/// new one says so.
/// </para>
/// </remarks>
public static class RunFile
{
    private const string LockName = $".{RunRecord.FileName}.lock";
    private static readonly string[] Needed = ["schema", "started", "process", "runs"];
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20), Pause = TimeSpan.FromMilliseconds(10);

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>Changes the record in a folder while no other process does; makes both if they are not there.</summary>
    /// <param name="folder">The run's folder.</param>
    /// <param name="change">From the record as it is, null if there is none, to the new one. Keeps what others wrote.</param>
    /// <returns>The new record.</returns>
    /// <exception cref="IOException">The folder cannot be written, or another process holds it.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder cannot be written.</exception>
    public static RunRecord Update(string folder, Func<RunRecord?, RunRecord> change)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(change);
        var full = Directory.CreateDirectory(folder).FullName;
        var file = Path.Combine(full, RunRecord.FileName);
        using var held = Locked(full);
        var present = Present(file, out var note);
        var changed = change(present);
        if (note is not null) changed = changed with { Notes = [.. changed.Notes ?? [], note] };
        AtomicWrite.Text(file, JsonSerializer.Serialize(changed, Json) + "\n");
        return changed with { Folder = full };
    }

    /// <inheritdoc cref="RunRecord.Read"/>
    internal static RunRecord Read(string path)
    {
        var file = Path.GetFullPath(Directory.Exists(path) ? Path.Combine(path, RunRecord.FileName) : path);
        if (!File.Exists(file)) throw new FileNotFoundException($"There is no record of a run at {file}.", file);
        var record = Parse(file);
        var folder = Path.GetDirectoryName(file)!;
        return record with
        {
            Folder = folder,
            Parameters = record.Parameters?.ToDictionary(value => value.Key, value => Plain(value.Value)),
            Runs = [.. record.Runs.Select(run => run with
            {
                Folder = folder,
                Settings = run.Settings.ToDictionary(setting => setting.Key, setting => Plain(setting.Value)!),
            })],
        };
    }

    /// <summary>The record in a folder; null if there is none that can be read.</summary>
    internal static RunRecord? Find(string folder)
    {
        try
        {
            return Read(folder);
        }
        catch (Exception missing) when (missing is FileNotFoundException or InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>Whether two values are the same in JSON, such as settings before they were written and after.</summary>
    internal static bool AreSame(object first, object second) =>
        JsonElement.DeepEquals(JsonSerializer.SerializeToElement(first, Json), JsonSerializer.SerializeToElement(second, Json));

    private static IDisposable Locked(string folder)
    {
        var path = Path.Combine(folder, LockName);
        var taken = $"{Path.Combine(folder, RunRecord.FileName)} cannot be written: another process holds {path}.";
        for (var start = Stopwatch.GetTimestamp(); ; Thread.Sleep(Pause))
        {
            try
            {
                return RunLock.Take(path, taken);
            }
            catch (IOException error) when (RunLock.IsTaken(error) && Stopwatch.GetElapsedTime(start) < Patience)
            {
                // the other writes for milliseconds
            }
        }
    }

    /// <summary>The record as it is; a damaged one is moved aside.</summary>
    private static RunRecord? Present(string file, out string? note)
    {
        note = null;
        if (!File.Exists(file) || new FileInfo(file).Length == 0) return null;
        try
        {
            return Parse(file);
        }
        catch (InvalidDataException damaged)
        {
            var folder = Path.GetDirectoryName(file)!;
            var aside = Enumerable.Range(1, int.MaxValue)
                .Select(number => Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"run.damaged-{number}.json")))
                .First(free => !File.Exists(free));
            File.Move(file, aside);
            note = $"The record could not be read and is kept as {Path.GetFileName(aside)}. {damaged.Message}";
            return null;
        }
    }

    private static RunRecord Parse(string file)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(file));
            Check(json.RootElement, file);
            var record = json.RootElement.Deserialize<RunRecord>(Json)!;
            if (record.Runs.Any(run => run is null)) throw Misplaced(file, "$.runs");   // the serializer lets null pass in a list
            return record.Cells?.Any(cell => cell is null) == true ? throw Misplaced(file, "$.cells") : record;
        }
        catch (JsonException error)
        {
            if (error.Path is { } place) throw Misplaced(file, place, error);
            var line = (error.LineNumber + 1)?.ToString(CultureInfo.InvariantCulture);
            throw new InvalidDataException($"{file}, line {line}: expected JSON. {error.Message}", error);
        }
    }

    private static InvalidDataException Misplaced(string file, string place, Exception? error = null) =>
        new($"{file}: the value at {place} is not valid in the record of a run.", error);

    private static void Check(JsonElement root, string file)
    {
        if (root.ValueKind != JsonValueKind.Object)
            throw new InvalidDataException($"{file}: expected the record of a run, found {Kind(root.ValueKind)}.");
        var missing = string.Join(", ", Needed.Where(name => !root.TryGetProperty(name, out _)).Select(name => $"\"{name}\""));
        if (missing.Length > 0) throw new InvalidDataException($"{file}: the record of a run has {missing}; not found here.");
        var schema = root.GetProperty("schema");
        if (schema.ValueKind == JsonValueKind.Number && schema.TryGetInt32(out var found) && found != RunRecord.CurrentSchema)
            throw new InvalidDataException($"{file} has schema {found}; this version of the kit reads "
                + $"{RunRecord.CurrentSchema}.");
    }

    /// <summary>What a value was before it became JSON, as far as that shows.</summary>
    private static object? Plain(object? value) => value is not JsonElement json ? value : json.ValueKind switch
    {
        JsonValueKind.String => json.GetString()!,
        JsonValueKind.True or JsonValueKind.False => json.GetBoolean(),
        JsonValueKind.Number => json.TryGetInt64(out var whole) ? (object)whole : json.GetDouble(),
        JsonValueKind.Array => json.EnumerateArray().Select(item => Plain(item)).ToArray(),
        JsonValueKind.Null => null,
        _ => json.Clone(),
    };

    private static string Kind(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        _ => kind.ToString().ToLowerInvariant(),
    };
}
