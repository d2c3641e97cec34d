using System.IO.MemoryMappedFiles;
using System.Reflection.PortableExecutable;
using Microsoft.CodeAnalysis;

namespace ResearchKit.Kernel.Cells;

/// <summary>
/// References to assemblies that are mapped, not read: of two hundred a cell touches few, and a session starts sooner.
/// </summary>
internal static unsafe class MappedReferences
{
    private static readonly List<MemoryMappedViewAccessor> Alive = [];

    /// <summary>A reference to a file; null where it is no assembly.</summary>
    public static MetadataReference? To(string path)
    {
        using var file = MemoryMappedFile.CreateFromFile(
            File.OpenRead(path), null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
        var view = file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        lock (Alive) Alive.Add(view);   // for as long as this process lives, as its own assemblies are
        var image = new PEReader(start, (int)view.Capacity);
        if (!image.HasMetadata) return null;
        var metadata = image.GetMetadata();
        return AssemblyMetadata.Create(ModuleMetadata.CreateFromMetadata((nint)metadata.Pointer, metadata.Length))
            .GetReference(filePath: path, display: path);
    }
}
