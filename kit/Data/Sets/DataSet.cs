using System.Security.Cryptography;
using System.Text;

namespace ResearchKit.Data;

/// <summary>One file of a data set.</summary>
/// <param name="Name">Its name in the data set's folder.</param>
/// <param name="Title">What it is.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Sha256">Its SHA-256, in lower-case hexadecimal digits.</param>
public sealed record DataFile(string Name, string Title, long Bytes, string Sha256);

/// <summary>A data set: what it is, whose it is, and its files, each checked before it is read.</summary>
public sealed record DataSet
{
    /// <summary>Its name in the catalogue; the name of its folder.</summary>
    public required string Name { get; init; }

    /// <summary>What it is, in a few words.</summary>
    public required string Title { get; init; }

    /// <summary>What it is used for, such as "language modelling".</summary>
    public required string Task { get; init; }

    /// <summary>What is in it.</summary>
    public required string Description { get; init; }

    /// <summary>Under which licence it may be used.</summary>
    public required string Licence { get; init; }

    /// <summary>Where it comes from.</summary>
    public required string Source { get; init; }

    /// <summary>Its files.</summary>
    public required IReadOnlyList<DataFile> Files { get; init; }

    /// <summary>The folder it lies in.</summary>
    public string Folder { get; init; } = "";

    /// <summary>Reads a text file as UTF-8, unpacked if its name ends in .gz.</summary>
    /// <exception cref="KeyNotFoundException">The data set has no such file.</exception>
    /// <exception cref="FileNotFoundException">The file is missing.</exception>
    /// <exception cref="InvalidDataException">The file is not the one that the data set describes.</exception>
    public string ReadText(string file)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(ReadBytes(file)).TrimStart('\uFEFF');
        }
        catch (DecoderFallbackException error)
        {
            throw new InvalidDataException($"{Path.Combine(Folder, file)} is not UTF-8: {error.Message}", error);
        }
    }

    /// <summary>Reads a file, unpacked if its name ends in .gz.</summary>
    /// <exception cref="KeyNotFoundException">The data set has no such file.</exception>
    /// <exception cref="FileNotFoundException">The file is missing.</exception>
    /// <exception cref="InvalidDataException">The file is not the one that the data set describes.</exception>
    public byte[] ReadBytes(string file) => Packed.Unpack(ReadVerified(Find(file)), file);

    /// <summary>Checks size and SHA-256 of every file.</summary>
    /// <exception cref="FileNotFoundException">A file is missing.</exception>
    /// <exception cref="InvalidDataException">A file is not the one that the data set describes.</exception>
    public void Verify()
    {
        foreach (var file in Files) ReadVerified(file);
    }

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Name}: {Title} ({Files.Count} files, {Files.Sum(file => file.Bytes):N0} bytes; {Licence})";

    private DataFile Find(string name) => Files.FirstOrDefault(file => file.Name == name)
        ?? throw new KeyNotFoundException(
            $"Data set {Name} has no file '{name}'; it has {string.Join(", ", Files.Select(file => file.Name))}.");

    private byte[] ReadVerified(DataFile file)
    {
        var path = Path.Combine(Folder, file.Name);
        if (!File.Exists(path)) throw new FileNotFoundException($"Data set {Name} lacks its file {path}.", path);
        var length = new FileInfo(path).Length;
        if (length != file.Bytes)
            throw new InvalidDataException(
                $"{path} has {length} bytes; the data set {Name} describes {file.Bytes}. It was truncated or replaced.");
        var bytes = File.ReadAllBytes(path);
        var sum = Convert.ToHexStringLower(SHA256.HashData(bytes));
        return sum == file.Sha256 ? bytes
            : throw new InvalidDataException(
                $"{path} has SHA-256 {sum}; the data set {Name} describes {file.Sha256}. It was changed or replaced.");
    }
}
