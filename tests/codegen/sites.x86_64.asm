site_add:
	mov rax,[__percpu_rseq_offset]
	lea rcx,[__per_cpu_offset]
	lea rdx,[LOCAL]
	lea rsi,[__rseq_cs]
	mov fs:[rax+8],rsi
	movsxd rsi,fs:[rax+4]
	mov rsi,[rcx+rsi*8]
	add rsi,rdx
	jl cold
	add [rsi],rdi
	ret

site_add_return:
	mov rcx,[__percpu_rseq_offset]
	lea rdx,[__per_cpu_offset]
	lea rsi,[LOCAL]
	lea r8,[__rseq_cs]
	mov fs:[rcx+8],r8
	movsxd r8,fs:[rcx+4]
	mov r8,[rdx+r8*8]
	add r8,rsi
	jl cold
	mov rax,[r8]
	add rax,rdi
	mov [r8],rax
	ret

site_cmpxchg:
	mov rcx,[__percpu_rseq_offset]
	lea rdx,[__per_cpu_offset]
	lea r8,[LOCAL]
	lea r9,[__rseq_cs]
	mov fs:[rcx+8],r9
	movsxd r9,fs:[rcx+4]
	mov r9,[rdx+r9*8]
	add r9,r8
	jl cold
	mov rax,[r9]
	cmp rax,rdi
	jne +5
	mov [r9],rsi
	cmp rax,rdi
	sete al
	ret

site_inc:
	mov rax,[__percpu_rseq_offset]
	lea rcx,[__per_cpu_offset]
	lea rdx,[LOCAL]
	lea rsi,[__rseq_cs]
	mov fs:[rax+8],rsi
	movsxd rsi,fs:[rax+4]
	mov rsi,[rcx+rsi*8]
	add rsi,rdx
	jl cold
	add qword ptr [rsi],1
	ret

site_inc_of_a_borrowed:
	mov rax,[__percpu_rseq_offset]
	lea rcx,[__per_cpu_offset]
	lea rdx,[__rseq_cs]
	mov fs:[rax+8],rdx
	movsxd rdx,fs:[rax+4]
	mov rdx,[rcx+rdx*8]
	add rdx,rdi
	jl cold
	add qword ptr [rdx],1
	ret

site_inc_of_a_box:
	mov rax,[__percpu_rseq_offset]
	lea rcx,[__per_cpu_offset]
	mov rdx,[rdi]
	lea rsi,[__rseq_cs]
	mov fs:[rax+8],rsi
	movsxd rsi,fs:[rax+4]
	mov rsi,[rcx+rsi*8]
	add rsi,rdx
	jl cold
	add qword ptr [rsi],1
	ret

site_inc_of_another_crate:
	mov rax,[__percpu_rseq_offset]
	lea rcx,[__per_cpu_offset]
	mov rdx,[.got]
	lea rsi,[__rseq_cs]
	mov fs:[rax+8],rsi
	movsxd rsi,fs:[rax+4]
	mov rsi,[rcx+rsi*8]
	add rsi,rdx
	jl cold
	add qword ptr [rsi],1
	ret

site_read:
	mov rcx,[__percpu_rseq_offset]
	lea rdx,[__per_cpu_offset]
	lea rsi,[LOCAL]
	lea rdi,[__rseq_cs]
	mov fs:[rcx+8],rdi
	movsxd rdi,fs:[rcx+4]
	mov rdi,[rdx+rdi*8]
	add rdi,rsi
	jl cold
	mov rax,[rdi]
	ret

site_write:
	mov rax,[__percpu_rseq_offset]
	lea rcx,[__per_cpu_offset]
	lea rdx,[LOCAL]
	lea rsi,[__rseq_cs]
	mov fs:[rax+8],rsi
	movsxd rsi,fs:[rax+4]
	mov rsi,[rcx+rsi*8]
	add rsi,rdx
	jl cold
	mov [rsi],rdi
	ret

site_xchg:
	mov rcx,[__percpu_rseq_offset]
	lea rdx,[__per_cpu_offset]
	lea rsi,[LOCAL]
	lea r8,[__rseq_cs]
	mov fs:[rcx+8],r8
	movsxd r8,fs:[rcx+4]
	mov r8,[rdx+r8*8]
	add r8,rsi
	jl cold
	mov rax,[r8]
	mov [r8],rdi
	ret

