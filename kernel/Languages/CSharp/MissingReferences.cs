using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Scripting;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Languages.CSharp;

/// <summary>
/// Resolves the dependencies of referenced assemblies, except those that only the kernel uses: cells do not
/// need them, and resolving them takes time.
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
