using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Scripting;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Languages.CSharp;

/// <summary>
/// Finds what a referenced assembly needs, except what only the kernel needs: no cell sees that, and looking takes time.
/// </summary>
internal sealed class MissingReferences : MetadataReferenceResolver
{
    private static readonly ScriptMetadataResolver Inner = ScriptMetadataResolver.Default;

    public override bool ResolveMissingAssemblies => true;

    public override PortableExecutableReference? ResolveMissingAssembly(
        MetadataReference definition, AssemblyIdentity referenceIdentity) =>
        CSharpDefaults.IsOfKernel(referenceIdentity.Name) ? null : Inner.ResolveMissingAssembly(definition, referenceIdentity);

    public override ImmutableArray<PortableExecutableReference> ResolveReference(
        string reference, string? baseFilePath, MetadataReferenceProperties properties) =>
            Inner.ResolveReference(reference, baseFilePath, properties);

    public override bool Equals(object? other) => other is MissingReferences;

    public override int GetHashCode() => typeof(MissingReferences).GetHashCode();
}
