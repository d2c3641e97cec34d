using System.Text;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace ResearchKit.Data;

/// <summary>
/// The lines of text files that need not fit into memory. Each line is an example; lines of spaces alone are none. The files
/// are read once to find the lines, and about one byte is kept for each; a line is read from its file when it is asked for,
/// from any thread.
/// </summary>
public sealed class TextLines : IDisposable
{
    private readonly List<LineFile> files = [];
    private readonly List<long> firsts = [];

    /// <param name="paths">The files, UTF-8, not packed.</param>
    /// <param name="progress">Is told the share of the bytes that were read, from 0 to 1.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <exception cref="ArgumentException">There is no file.</exception>
    /// <exception cref="InvalidDataException">A file is packed.</exception>
    public TextLines(IEnumerable<string> paths, IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        string[] all = [.. paths];
        if (all.Length == 0) throw new ArgumentException("There is no file; expected at least one.", nameof(paths));
        var (bytes, read) = (Math.Max(1, all.Sum(path => new FileInfo(path).Length)), 0L);
        try
        {
            foreach (var path in all)
            {
                firsts.Add(Count);
                files.Add(new LineFile(path, part => progress?.Report((double)(read += part) / bytes), cancellation));
                Count += files[^1].Count;
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Number of lines.</summary>
    public long Count { get; }

    /// <summary>Number of lines of each file, for a <see cref="ShuffleBuffer"/>.</summary>
    public IReadOnlyList<long> Parts => [.. files.Select(file => file.Count)];

    /// <summary>Returns a line without its end.</summary>
    /// <param name="number">Its number over all files, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such line.</exception>
    /// <exception cref="InvalidDataException">The line is not UTF-8; the message names file and line.</exception>
    public string this[long number] => Line(number).Text;

    /// <summary>Makes examples of the lines.</summary>
    /// <param name="batch">Makes a batch of texts, on the loader's threads.</param>
    public IExamples Examples(Func<IReadOnlyList<string>, Batch> batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return new ComputedExamples(Count, numbers => batch([.. numbers.Select(number => this[number])]));
    }

    /// <summary>Makes examples of JSON lines.</summary>
    /// <param name="batch">Makes a batch of JSON values, one of each line, on the loader's threads.</param>
    public IExamples JsonExamples(Func<IReadOnlyList<JsonElement>, Batch> batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return new ComputedExamples(Count, numbers => batch([.. numbers.Select(Json)]));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var file in files) file.Dispose();
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Count:N0} lines of {files.Count} files";

    private (string Text, string Place) Line(long number)
    {
        if (number < 0 || number >= Count)
            throw new ArgumentOutOfRangeException(nameof(number), number, $"There are {Count} lines, from 0.");
        var file = firsts.BinarySearch(number);
        if (file < 0) file = ~file - 1;
        while (files[file].Count == 0 || number - firsts[file] >= files[file].Count) file++;
        return files[file].Read(number - firsts[file]);
    }

    private JsonElement Json(long number)
    {
        var (text, place) = Line(number);
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.Clone();
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"{place}: this is no JSON: {error.Message}", error);
        }
    }
}

/// <summary>Where the lines of a file begin.</summary>
internal sealed class LineFile : IDisposable
{
    private const int Every = 16, Buffer = 1 << 20;   // lines of a block; bytes that are read at once

    private readonly SafeFileHandle handle;
    private readonly string name;
    private readonly List<(long Offset, long Line)> blocks = [];   // where each starts, and its line in the file
    private readonly long length;

    public LineFile(string path, Action<long> wasRead, CancellationToken cancellation)
    {
        name = Path.GetFileName(path);
        handle = File.OpenHandle(path);
        length = RandomAccess.GetLength(handle);
        try
        {
            Scan(wasRead, cancellation);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    public long Count { get; private set; }

    public (string Text, string Place) Read(long number)
    {
        var block = (int)(number / Every);
        var (start, line) = blocks[block];
        var bytes = new byte[(block + 1 < blocks.Count ? blocks[block + 1].Offset : length) - start];
        for (var at = 0; at < bytes.Length;)
        {
            var count = RandomAccess.Read(handle, bytes.AsSpan(at), start + at);
            if (count == 0) throw new InvalidDataException($"{name} was cut off while it was read.");
            at += count;
        }
        var rest = (ReadOnlySpan<byte>)bytes;
        for (var left = number % Every; ; line++)
        {
            var end = rest.IndexOf((byte)'\n');
            var text = end < 0 ? rest : rest[..end];
            if (!IsBlank(text) && left-- == 0) return (Text(text, line), $"{name}, line {line}");
            rest = rest[(end + 1)..];
        }
    }

    public void Dispose() => handle.Dispose();

    private void Scan(Action<long> wasRead, CancellationToken cancellation)
    {
        var buffer = new byte[Buffer];
        var (line, start, isBlank) = (1L, 0L, true);
        for (var offset = 0L; offset < length;)
        {
            cancellation.ThrowIfCancellationRequested();
            var count = RandomAccess.Read(handle, buffer, offset);
            if (count == 0) break;
            if (offset == 0 && buffer.AsSpan(0, count).StartsWith([(byte)0x1F, (byte)0x8B]))
                throw new InvalidDataException($"{name} is packed with gzip; lines cannot be read out of order "
                    + "from it. Unpack it first.");
            if (offset == 0 && buffer.AsSpan(0, count).StartsWith([(byte)0xEF, (byte)0xBB, (byte)0xBF])) start = 3;
            for (var at = (int)Math.Max(0, start - offset); at < count;)
            {
                var end = buffer.AsSpan(at, count - at).IndexOf((byte)'\n');
                isBlank &= IsBlank(buffer.AsSpan(at, end < 0 ? count - at : end));
                if (end < 0) break;
                at += end + 1;
                Add(isBlank, start, line++);
                (start, isBlank) = (offset + at, true);
            }
            wasRead(count);
            offset += count;
        }
        Add(isBlank, start, line);
    }

    private void Add(bool isBlank, long start, long line)
    {
        if (isBlank) return;
        if (Count++ % Every == 0) blocks.Add((start, line));
    }

    private string Text(ReadOnlySpan<byte> bytes, long line)
    {
        if (bytes is [.., (byte)'\r']) bytes = bytes[..^1];
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
        }
        catch (DecoderFallbackException error)
        {
            throw new InvalidDataException($"{name} is not UTF-8: line {line} has the byte "
                + $"0x{error.BytesUnknown?.FirstOrDefault():X2}.", error);
        }
    }

    private static bool IsBlank(ReadOnlySpan<byte> bytes) => !bytes.ContainsAnyExcept(" \t\r"u8);
}

/// <summary>Examples that a function makes of their numbers.</summary>
internal sealed class ComputedExamples(long count, Func<IReadOnlyList<long>, Batch> fetch) : IExamples
{
    public long Count => count;

    public Batch Fetch(IReadOnlyList<long> numbers) => fetch(numbers);
}
