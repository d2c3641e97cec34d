using System.Security.Cryptography;
using System.Text;

namespace ResearchKit.Data;

/// <summary>One file of a data set.</summary>
/// <param name="Name">File name in the data set's folder.</param>
/// <param name="Title">Short description of the file.</param>
/// <param name="Bytes">Size in bytes.</param>
/// <param name="Sha256">SHA-256 in lower-case hexadecimal digits.</param>
public sealed record DataFile(string Name, string Title, long Bytes, string Sha256);

/// <summary>
/// A data set: description, source, licence and files. Each file is verified before it is read.
/// </summary>
public sealed record DataSet
{
    /// <summary>Name of the data set and of its folder.</summary>
    public required string Name { get; init; }

    /// <summary>Title in a few words.</summary>
    public required string Title { get; init; }

    /// <summary>Task that the data set is for, such as "language modelling".</summary>
    public required string Task { get; init; }

    /// <summary>Description of the contents.</summary>
    public required string Description { get; init; }

    /// <summary>Licence.</summary>
    public required string Licence { get; init; }

    /// <summary>Source of the data.</summary>
    public required string Source { get; init; }

    /// <summary>Files of the data set.</summary>
    public required IReadOnlyList<DataFile> Files { get; init; }

    /// <summary>Folder of the data set.</summary>
    public string Folder { get; init; } = "";

    /// <summary>Reads a text file as UTF-8, decompressed if its name ends in .gz.</summary>
    /// <exception cref="KeyNotFoundException">The data set has no such file.</exception>
    /// <exception cref="FileNotFoundException">The file is missing.</exception>
    /// <exception cref="InvalidDataException">
    /// Size or checksum of the file differ from the data set's description.
    /// </exception>
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

    /// <summary>Reads a file, decompressed if its name ends in .gz.</summary>
    /// <exception cref="KeyNotFoundException">The data set has no such file.</exception>
    /// <exception cref="FileNotFoundException">The file is missing.</exception>
    /// <exception cref="InvalidDataException">
    /// Size or checksum of the file differ from the data set's description.
    /// </exception>
    public byte[] ReadBytes(string file) => Packed.Unpack(ReadVerified(Find(file)), file);

    /// <summary>Verifies the size and SHA-256 of every file.</summary>
    /// <exception cref="FileNotFoundException">A file is missing.</exception>
    /// <exception cref="InvalidDataException">
    /// Size or checksum of a file differ from the data set's description.
    /// </exception>
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
        if (!File.Exists(path)) throw new FileNotFoundException($"Data set {Name} lacks the file {path}.", path);
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
