using ResearchKit.Native;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Native;

public sealed class NativeLibrariesTests
{
    [Fact]
    public void Libtorch_is_loaded_by_its_full_path_and_a_tensor_can_be_made()
    {
        using var four = ones(2, 2).sum();
        Assert.Equal(4f, four.item<float>());
        Assert.True(Path.IsPathFullyQualified(NativeLibraries.TorchPath));
        Assert.True(File.Exists(NativeLibraries.TorchPath));
    }

    [Fact]
    public void Relaxing_the_symbol_versions_changes_exactly_one_byte()
    {
        if (!OperatingSystem.IsLinux()) return;   // the file exists on every platform, but is read from the Linux package
        var path = Path.Combine(Path.GetDirectoryName(NativeLibraries.TorchPath)!, "libLibTorchSharp.so");
        var original = File.ReadAllBytes(path);
        var relaxed = ElfSymbolVersions.Relax([.. original]);
        var changed = Enumerable.Range(0, original.Length).Where(i => original[i] != relaxed[i]).ToList();
        var at = Assert.Single(changed);
        Assert.Equal((0, 2), (original[at], relaxed[at]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(16)]
    [InlineData(64)]
    public void A_truncated_library_is_refused(int length)
    {
        byte[] elf = [0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1, .. new byte[58]];
        elf[0x3a] = 64;   // section size
        elf[0x3c] = 9;    // nine sections that are not there
        Assert.Throws<InvalidDataException>(() => ElfSymbolVersions.Relax(elf[..length]));
    }
}
